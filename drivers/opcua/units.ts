/** EngineeringUnits as they are told on the wire (OPC 10000-8, 5.6.4.3): the UNECE code's bytes as a number. */
export interface EngineeringUnits {
  readonly unitId: number;
  readonly displayName: string;
}

const byUnitId: ReadonlyMap<number, string> = new Map([
  [20529, '%'], // P1
  [4408652, 'Cel'], // CEL
  [4604232, '[degF]'], // FAH
  [18510, 'mm[Hg]'], // HN, conventional millimetre of mercury
  [4935745, 'kPa'], // KPA
  [5063250, 'mbar'], // MBR
  [4732728, 'cm[H2O]'], // H78
  [4345933, '/min'], // BPM
  [5065812, 'mL'], // MLT
  [19506, 'L/min'], // L2
  [4403766, 'ms'], // C26
]);

/** Where there is no UNECE code (−1, the maker's own namespace), the name is all there is. */
const byName: ReadonlyMap<string, string> = new Map([
  ['1/min', '/min'],
  ['/min', '/min'],
  ['bpm', '/min'],
  ['%', '%'],
  ['mmHg', 'mm[Hg]'],
  ['kPa', 'kPa'],
  ['cmH2O', 'cm[H2O]'],
  ['mbar', 'mbar'],
  ['°C', 'Cel'],
  ['mL', 'mL'],
  ['ml', 'mL'],
  ['L/min', 'L/min'],
  ['l/min', 'L/min'],
]);

/** The UCUM unit, or undefined for one nobody has named: its values cannot be used. */
export const ucumOf = ({ unitId, displayName }: EngineeringUnits): string | undefined =>
  unitId === -1 ? byName.get(displayName.trim()) : byUnitId.get(unitId);
