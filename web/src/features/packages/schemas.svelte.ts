import { packagesApi, type Schemas, type Section } from '../../api/packages';
import { linkTypes } from './link';

/** The schemas as a package sees them, kept: they change seldom, and every form needs them. */
class SchemaCache {
  private readonly known = new Map<string, Promise<Schemas>>();

  of(name: string): Promise<Schemas> {
    let wanted = this.known.get(name);
    if (!wanted) {
      wanted = packagesApi.schemas(name).then(linkTypes);
      wanted.catch(() => this.known.delete(name));
      this.known.set(name, wanted);
    }
    return wanted;
  }

  async section(name: string, section: string): Promise<Section | undefined> {
    return (await this.of(name)).sections.find((one) => one.name === section);
  }

  /** After a change that may have touched a schema. */
  forget(): void {
    this.known.clear();
  }
}

export const schemas = new SchemaCache();
