import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError } from '../../../api/errors';
import { packagesApi, type PackageDetail } from '../../../api/packages';
import { planInstall } from './install';

vi.mock('../../../api/packages', () => ({ packagesApi: { install: vi.fn(), detail: vi.fn() } }));

const install = vi.mocked(packagesApi.install);
const detail = vi.mocked(packagesApi.detail);
const bytes = new Blob(['x']);
const made = { package: 'site', version: '1.1.0', files: [] };
const refusal = (status: number, message: string): ApiError => new ApiError(status, { error: message });

beforeEach(() => {
  install.mockReset();
  detail.mockReset().mockResolvedValue({ version: '0.1.0' } as PackageDetail);
});

describe('what an archive would do', () => {
  it('is asked as a preview', async () => {
    install.mockResolvedValue(made);
    expect(await planInstall(bytes)).toEqual({ name: 'site', upgrade: false, title: 'Install site 1.1.0' });
    expect(install.mock.calls).toEqual([[bytes, { preview: true }]]);
  });

  it('is an upgrade with both versions where the package is there, and nothing has changed yet', async () => {
    install.mockRejectedValueOnce(refusal(409, 'there already')).mockResolvedValueOnce(made);
    expect(await planInstall(bytes)).toEqual({ name: 'site', upgrade: true, title: 'Upgrade site from 0.1.0 to 1.1.0' });
    expect(install.mock.calls.every(([, options]) => options.preview)).toBe(true);
  });

  it('is refused with the reason that the upgrade is refused with', async () => {
    const equal = refusal(409, 'package site is of version 1.1.0');
    install.mockRejectedValueOnce(refusal(409, 'there already')).mockRejectedValueOnce(equal);
    await expect(planInstall(bytes)).rejects.toBe(equal);
  });

  it('is refused at once where something else is wrong', async () => {
    const wrong = refusal(422, 'this would not hold');
    install.mockRejectedValue(wrong);
    await expect(planInstall(bytes)).rejects.toBe(wrong);
    expect(install).toHaveBeenCalledTimes(1);
  });
});
