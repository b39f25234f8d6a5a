// An application that has Better Auth, as Keygate's key service and as its upstream. Better Auth has routes of its own under
// /api/auth, and none that verifies keys: that is the one to write, and the only part of this that Keygate needs. Users and
// keys are in memory and gone with the process.
import { createServer } from 'node:http';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { bearer, organization } from 'better-auth/plugins';
import { toNodeHandler } from 'better-auth/node';
import { apiKey } from '@better-auth/api-key';

const port = Number(process.env.PORT ?? 3000);
const token = process.env.KEYGATE_TOKEN; // what Keygate asks with
const tables = ['user', 'session', 'account', 'verification', 'apikey', 'organization', 'member', 'invitation'];

const auth = betterAuth({
  baseURL: `http://127.0.0.1:${port}`,
  secret: process.env.BETTER_AUTH_SECRET,
  database: memoryAdapter(Object.fromEntries(tables.map((table) => [table, []]))),
  emailAndPassword: { enabled: true },
  telemetry: { enabled: false },
  plugins: [
    bearer(),
    organization(),
    apiKey({
      defaultPrefix: 'sk_live_',
      references: 'organization',
      rateLimit: { enabled: false }, // 10 verifications a day otherwise
      keyExpiration: { minExpiresIn: 0 },
    }),
  ],
});

async function bodyOf(request) {
  let text = '';
  for await (const piece of request) text += piece;
  return JSON.parse(text);
}

function answer(response, status, value) {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

// 'projects:read projects:write' as Better Auth has it: { projects: ['read', 'write'] }.
function permissionsOf(scopes) {
  const permissions = {};
  for (const [resource, action] of scopes.map((scope) => scope.split(':'))) {
    (permissions[resource] ??= []).push(action);
  }
  return permissions;
}

// For Keygate alone. It asks without permissions: with some, a key that lacks one would be "not found".
async function verify(request, response) {
  if (!token || request.headers.authorization !== `Bearer ${token}`) return answer(response, 401, {});
  const { key } = await bodyOf(request);
  answer(response, 200, await auth.api.verifyApiKey({ body: { key } }));
}

// Behind Keygate, which says who is signed in: only it can set these headers.
async function createKey(request, response) {
  const { name, scopes } = await bodyOf(request);
  const held = (request.headers['x-scopes'] ?? '').split(' ');
  const beyond = scopes.filter((scope) => !held.includes(scope));
  if (beyond.length > 0) return answer(response, 422, { code: 'invalid_scope', invalid_scopes: beyond });
  const organizationId = request.headers['x-org-id'], userId = request.headers['x-user-id'];
  const made = await auth.api.createApiKey({ body: { name, organizationId, userId, permissions: permissionsOf(scopes) } });
  answer(response, 201, { id: made.id, key: made.key });
}

// Everything else says what Keygate told it.
function echo(request, response) {
  const said = Object.entries(request.headers).filter(([name]) => /^(x-(org|key|user)-id|x-scopes|x-auth-method)$/.test(name));
  answer(response, 200, { path: request.url, ...Object.fromEntries(said) });
}

const ofBetterAuth = toNodeHandler(auth);
createServer(async (request, response) => {
  try {
    if (request.url.startsWith('/api/auth/')) return await ofBetterAuth(request, response);
    if (request.url === '/internal/keys/verify') return await verify(request, response);
    if (request.url === '/api/v1/api-keys' && request.method === 'POST') return await createKey(request, response);
    echo(request, response);
  } catch (error) {
    console.error(error);
    answer(response, 500, {}); // could not find out: neither yes nor no
  }
}).listen(port, '127.0.0.1', () => console.log(`listening on ${port}`));
