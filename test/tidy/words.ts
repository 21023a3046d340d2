import { nodes, pathOf, type Node, type Source } from './sources.ts';

/**
 * Words that mean something else than what people would use them for here (docs/words.md), with what to say instead
 * and the folders where a protocol, a library or another meaning owns them.
 */
export interface Word {
  readonly word: string;
  readonly say: string;
  readonly allowed: readonly string[];
}

const no = (say: string, words: string): Word[] =>
  words.split(' ').map((word) => ({ word, say, allowed: [] }));
const onlyIn = (allowed: readonly string[], word: string, say: string): Word => ({ word, say, allowed });

export const words: readonly Word[] = [
  ...no('Device', 'thing things'),
  ...no('Metric', 'sensor sensors tag tags'),
  onlyIn(['api'], 'parameter', 'Metric; a parameter of a request in the API'),
  ...no('Observation', 'reading readings vitals datapoint'),
  ...no('Waveform', 'curve curves'),
  ...no('Validity', 'quality'),
  ...no('Link', 'online offline'),
  ...no('Association', 'mapping binding pairing'),
  ...no('AlarmLimit', 'threshold thresholds'),
  ...no('AlarmCondition', 'incident incidents'),
  onlyIn(['model', 'gateway'], 'alert', 'Alarm; an alert is what a device says of itself'),
  onlyIn(['model', 'gateway'], 'alerts', 'Alarm; an alert is what a device says of itself'),
  ...no('Priority', 'severity urgency'),
  ...no('AlarmSignal', 'notification notifications'),
  ...no('acknowledge (people) or confirm (machines)', 'ack acks acked nack'),
  ...no('acknowledge, clear or end', 'dismiss dismissed dismissal'),
  ...no('AudioPaused, AudioOff, AlarmPaused, AlarmOff', 'mute muted snooze snoozed'),
  ...no('Escalation is a rise of priority', 'paging'),
  ...no('Redirection', 'forwarding forwarded'),
  ...no('Sink, Outlet', 'exporter exporters connector connectors'),
  ...no('Loss ledger', 'deadletter'),
  ...no('Front door', 'ingress middleware'),
  ...no('Driver host', 'agent agents'),
  onlyIn(['gateway'], 'worker', 'a thread; the program that runs drivers is the driver host'),
  onlyIn(['gateway', 'api'], 'template', 'Map'),
  ...no('Fault', 'exception issue issues'),
  onlyIn(
    ['model/person.ts', 'gateway/identity', 'gateway/live', 'api'],
    'session',
    'Encounter; a session is a sign-in',
  ),
];

const forbidden = new Map(words.map((word) => [word.word, word]));

/** `file: Name (say …)` for each exported type and each key of its JSON that uses a word for another thing. */
export function misused(source: Source): string[] {
  if (!/^(model|gateway|api)\//.test(source.path)) return [];
  return [...new Set(spokenNames(source))].flatMap((name) =>
    parts(name).flatMap((part) => {
      const word = forbidden.get(part);
      if (!word || word.allowed.some((folder) => source.path.startsWith(folder))) return [];
      return [`${source.path}: ${name} (${part}: say ${word.say})`];
    }),
  );
}

/** Words of a name: `acknowledgedBy` → acknowledged, by; also the whole, joined (`dead-letter` → deadletter). */
const parts = (name: string): string[] => {
  const split = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter(Boolean);
  return [...new Set([...split, split.join('')])];
};

const declarations = new Set(['TSInterfaceDeclaration', 'TSTypeAliasDeclaration', 'ClassDeclaration']);

function spokenNames(source: Source): string[] {
  return (source.program['body'] as Node[]).flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration' || !statement['declaration']) return [];
    const declaration = statement['declaration'] as Node;
    if (declarations.has(declaration.type)) {
      return [pathOf(declaration['id']) ?? '', ...keysIn(declaration, 'TSPropertySignature')];
    }
    return [...nodes(declaration)].filter(isSchema).flatMap((node) => keysIn(node, 'Property'));
  });
}

const isSchema = (node: Node): boolean =>
  node.type === 'CallExpression' && pathOf(node['callee']) === 'Type.Object';

const keysIn = (node: Node, type: string): string[] =>
  [...nodes(node)].flatMap((each) => {
    if (each.type !== type) return [];
    const key = each['key'] as Node;
    return key.type === 'Identifier' ? [String(key['name'])] : [String(key['value'] ?? '')];
  });
