import { describe, expect, it } from 'vitest';
import { guessTarget, targetOf } from './target';

describe('guessTarget', () => {
  it('takes a URL as an HTTP check', () => {
    expect(guessTarget(' http://web1:8080/healthy ')).toEqual({ type: 'http', target: 'http://web1:8080/healthy' });
  });
  it('takes host and port as a TCP check', () => {
    expect(guessTarget('db1:5432')).toEqual({ type: 'tcp', target: 'db1:5432' });
    expect(guessTarget('[::1]:22')).toEqual({ type: 'tcp', target: '[::1]:22' });
  });
  it('asks a domain over TLS', () => {
    expect(guessTarget('example.org')).toEqual({ type: 'http', target: 'https://example.org/' });
    expect(guessTarget('example.org/status')).toEqual({ type: 'http', target: 'https://example.org/status' });
  });
  it('asks addresses and odd ports without TLS', () => {
    expect(guessTarget('127.0.0.1/x')).toEqual({ type: 'http', target: 'http://127.0.0.1/x' });
    expect(guessTarget('web1:8080/x')).toEqual({ type: 'http', target: 'http://web1:8080/x' });
  });
  it('takes a bare word as a process', () => {
    expect(guessTarget('sshd')).toEqual({ type: 'process', target: 'sshd' });
  });
  it('guesses nothing from nothing, from words and from ports that cannot be', () => {
    for (const text of ['', '  ', 'is it up', 'web1:99999']) expect(guessTarget(text)).toBeUndefined();
  });
});

describe('targetOf', () => {
  it('reads the same text as another type', () => {
    expect(targetOf('http', 'web1:8080')).toEqual({ type: 'http', target: 'http://web1:8080' });
    expect(targetOf('tcp', 'https://example.org/')).toEqual({ type: 'tcp', target: 'example.org:443' });
    expect(targetOf('tcp', 'http://example.org:81/x')).toEqual({ type: 'tcp', target: 'example.org:81' });
    expect(targetOf('process', 'nginx: master')).toEqual({ type: 'process', target: 'nginx: master' });
  });
  it('is nothing when the text cannot be one', () => {
    expect(targetOf('tcp', 'no port here')).toBeUndefined();
  });
});
