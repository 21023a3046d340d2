import { lineOf, nodes, pathOf, type Node, type Source } from './sources.ts';

/** Time and chance are handed in (model/clock.ts, model/ids.ts): these stand in no other file that ships. */
const time = new Set([
  'Date.now',
  'performance.now',
  'process.hrtime',
  'process.hrtime.bigint',
  'AbortSignal.timeout',
]);
const timers = new Set(['setTimeout', 'setInterval']);
const chance = new Set([
  'Math.random',
  'randomUUID',
  'randomBytes',
  'randomInt',
  'crypto.randomUUID',
  'crypto.getRandomValues',
]);

const timeFiles = /^(model\/clock\.ts|web\/(.*\/)?clock\.ts)$/;
const chanceFiles = /^(model\/ids\.ts|web\/(.*\/)?(clock|chance)\.ts)$/;
const free = /^(test|bench|clients)\/|\.config\.ts$/;

/** `file:line call` for every forbidden reading of time or chance. */
export function forbiddenCalls(source: Source): string[] {
  if (free.test(source.path)) return [];
  return [...nodes(source.program)].flatMap((node) => {
    const what = readsTime(node) ?? drawsChance(node);
    if (what === undefined) return [];
    const allowed = drawsChance(node) === undefined ? timeFiles : chanceFiles;
    return allowed.test(source.path) ? [] : [`${source.path}:${lineOf(source, node)} ${what}`];
  });
}

function readsTime(node: Node): string | undefined {
  if (node.type === 'ImportDeclaration') {
    const from = (node['source'] as { value?: unknown }).value;
    return from === 'node:timers' || from === 'node:timers/promises' ? String(from) : undefined;
  }
  if (node.type === 'NewExpression' && pathOf(node['callee']) === 'Date') {
    return (node['arguments'] as unknown[]).length === 0 ? 'new Date()' : undefined;
  }
  const called = node.type === 'CallExpression' ? pathOf(node['callee']) : undefined;
  if (called === undefined) return undefined;
  const bare = called.replace(/^(globalThis|window|self)\./, '');
  return time.has(bare) || timers.has(bare) ? called : undefined;
}

function drawsChance(node: Node): string | undefined {
  const called = node.type === 'CallExpression' ? pathOf(node['callee']) : undefined;
  return called !== undefined && chance.has(called.replace(/^(globalThis|window|self)\./, ''))
    ? called
    : undefined;
}

const logs = /(^|\.)(log|logger|console)\.(trace|debug|info|warn|error|fatal|log)$/;
const personal = /^(mrn|birthDate|birthdate|patientName|familyName|givenName)$/;
const persons = /(^|\.)(patient|person|encounter)$/i;

/** `file:line what` for patient data handed to a logger or into a Fault. */
export function loggedPatientData(source: Source): string[] {
  if (source.path.startsWith('test/')) return [];
  return [...nodes(source.program)].flatMap((node) => {
    const callee = pathOf(node['callee']) ?? '';
    const speaks =
      (node.type === 'CallExpression' && logs.test(callee)) ||
      (node.type === 'NewExpression' && callee === 'Fault');
    if (!speaks) return [];
    const told = (node['arguments'] as Node[]).flatMap((argument) =>
      [...nodes(argument)].flatMap(personalIn),
    );
    return told.map((what) => `${source.path}:${lineOf(source, node)} ${what}`);
  });
}

function personalIn(node: Node): string[] {
  if (node.type === 'Identifier' && personal.test(String(node['name']))) return [String(node['name'])];
  if (node.type === 'Property' && node['value'] !== undefined) {
    const value = pathOf(node['value']);
    return value !== undefined && persons.test(value) ? [value] : [];
  }
  if (node.type !== 'MemberExpression') return [];
  const path = pathOf(node) ?? '';
  return /(^|\.)(patient|person)\.name$/i.test(path) ? [path] : [];
}
