// Each answer carries a number of its own, so that a stored answer can be told from a new one.
import { randomUUID } from 'node:crypto';

const json = (cacheControl) => async () => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json', 'cache-control': cacheControl },
  body: JSON.stringify({ says: 'ahoy', id: randomUUID() }),
});

export const publicJson = json('public, max-age=3600');
export const privateJson = json('private, max-age=3600');
export const noStoreJson = json('no-store');

export const echo = async (event) => ({
  statusCode: 200,
  headers: { 'content-type': 'application/json', 'cache-control': 'max-age=3600' },
  body: JSON.stringify({ id: randomUUID(), event }),
});

// All 256 octets: no text encoding lets them through unharmed.
export const image = async () => ({
  statusCode: 200,
  headers: { 'content-type': 'image/x-test', 'cache-control': 'max-age=3600' },
  isBase64Encoded: true,
  body: Buffer.from(Array.from({ length: 256 }, (_, i) => i)).toString('base64'),
});

export const login = async () => ({
  statusCode: 200,
  headers: { 'content-type': 'text/plain', 'cache-control': 'max-age=3600' },
  cookies: ['session=abc; Path=/; HttpOnly', 'theme=dark; Path=/'],
  body: randomUUID(),
});

export const fails = async () => {
  throw new Error('the secret inside of the function');
};
