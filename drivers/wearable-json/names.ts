/** `spBv1.0/{group}/{type}/{edge node}[/{device}]` */
export interface SparkplugName {
  readonly group: string;
  readonly edgeNode: string;
  /** Absent: the metrics of the edge node itself. */
  readonly device?: string;
}

export type Kind = 'NBIRTH' | 'NDATA' | 'NDEATH' | 'DBIRTH' | 'DDATA' | 'DDEATH';
const topicOf = ({ group, edgeNode, device }: SparkplugName, kind: Kind): string =>
  `spBv1.0/${group}/${kind}/${edgeNode}${kind.startsWith('D') && device !== undefined ? `/${device}` : ''}`;

/** Topics of the device alone, and those of its node, whose birth and death are that of all its devices. */
export function sparkplugTopics(name: SparkplugName): { topics: string[]; shared: string[] } {
  const own: readonly Kind[] = name.device === undefined ? ['NDATA'] : ['DBIRTH', 'DDATA', 'DDEATH'];
  const shared: readonly Kind[] = ['NBIRTH', 'NDEATH'];
  return {
    topics: own.map((kind) => topicOf(name, kind)),
    shared: shared.map((kind) => topicOf(name, kind)),
  };
}
