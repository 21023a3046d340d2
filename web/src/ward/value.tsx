import type { BedView, LatestValue } from '../../../model/stream.ts';
import { metrics } from '../../../model/metric-table.ts';
import { gatewayNow, silentForMs } from '../live/ward-state.ts';
import { ageInWords, clockTime, inWords, unitInWords, words } from '../words.ts';
import { figureOf, limitsOf, standingOf, type Pressure, type Standing } from './vital-signs.ts';

/** From here on a continuous value shows its age. */
const ageShownFromMs = 10_000;

interface ValueProps {
  readonly place: 'rate' | 'saturation' | 'respiration';
  readonly value: LatestValue;
  readonly bed: BedView;
  readonly violating: boolean;
}

/** One large value: label, figure, unit, limits; why there is none, or how old it is. */
export function Value({ place, value, bed, violating }: ValueProps) {
  const standing = standingOf(value, gatewayNow());
  return (
    <li class={`value ${place} ${standing} ${violating ? 'violating' : ''}`}>
      <Label metric={value.metric} text={labelOf(value)} />
      <Figure standing={standing} text={figureOf(value)} />
      <Beside bed={bed} value={value} />
      <span class="age">{standing === 'missing' ? whyMissing(value) : ageOf(value)}</span>
    </li>
  );
}

/** Systolic over diastolic as one figure, the mean beside it, always with its time when a cuff measured it. */
export function PressureValue({
  pressure,
  bed,
  violating,
}: {
  pressure: Pressure;
  bed: BedView;
  violating: boolean;
}) {
  const { systolic, diastolic, mean } = pressure;
  const first = systolic ?? mean ?? diastolic;
  if (!first) return null;
  const parts = [systolic, diastolic].map((part) =>
    part && standingOf(part, gatewayNow()) !== 'missing' ? figureOf(part) : '–',
  );
  const standing = standingOf(first, gatewayNow());
  const meanShown = mean && mean !== first && standingOf(mean, gatewayNow()) !== 'missing';
  return (
    <li class={`value pressure ${standing} ${violating ? 'violating' : ''}`}>
      <Label metric={first.metric} text={words.pressure(labelOf(first))} />
      <Figure
        standing={standing}
        text={standing === 'missing' ? '–' : systolic ? parts.join('/') : figureOf(first)}
      />
      <Beside bed={bed} value={first}>
        {meanShown ? (
          <span>
            <span class="hidden">{words.mean} </span>({figureOf(mean)})
          </span>
        ) : null}
      </Beside>
      <span class="age">{standing === 'missing' ? whyMissing(first) : ageOf(first)}</span>
    </li>
  );
}

/** What is measured beside the four large values, in one line each. */
export function SmallValue({ value }: { value: LatestValue }) {
  const standing = standingOf(value, gatewayNow());
  const why = standing === 'missing' ? whyMissing(value) : ageOf(value);
  return (
    <li class={standing}>
      <Label metric={value.metric} text={labelOf(value)} />{' '}
      <Figure standing={standing} text={figureOf(value)} />
      {standing === 'missing' ? null : <span class="unit"> {unitInWords(value.unit)}</span>}
      {why === '' ? null : <span class="age"> {why}</span>}
    </li>
  );
}

const labelOf = (value: LatestValue): string =>
  value.channel ? `${value.label} ${value.channel}` : value.label;

const Label = ({ metric, text }: { metric: string; text: string }) => (
  <abbr class="label" title={metrics.get(metric)?.name.en ?? metric}>
    {text}
  </abbr>
);

/** A figure that cannot be fully believed says so in words too, for those who cannot see the mark. */
function Figure({ standing, text }: { standing: Standing; text: string }) {
  return (
    <span class="figure">
      {standing === 'missing' ? '–' : text}
      {standing === 'questionable' ? (
        <span class="doubt">
          ?<span class="hidden"> {words.questionable}</span>
        </span>
      ) : null}
      {standing === 'stale' ? <span class="hidden"> {words.stale}</span> : null}
    </span>
  );
}

function Beside({
  bed,
  value,
  children,
}: {
  bed: BedView;
  value: LatestValue;
  children?: preact.ComponentChildren;
}) {
  const { high, low } = limitsOf(bed, value);
  return (
    <span class="beside">
      <span class="limit">
        {high === undefined ? null : <span class="hidden">{words.limitOf.high} </span>}
        {high}
      </span>
      {children}
      <span class="unit">{unitInWords(value.unit)}</span>
      <span class="limit">
        {low === undefined ? null : <span class="hidden">{words.limitOf.low} </span>}
        {low}
      </span>
    </span>
  );
}

/** The reason; and how old it is, once it may no longer be so. */
const whyMissing = (value: LatestValue): string =>
  [inWords(value.reason), value.episodic ? '' : ageOf(value)].filter((part) => part !== '').join(', ');

/** Measured now and then: always time and age. Continuous: its age from 10 s on, or while the gateway is silent. */
function ageOf(value: LatestValue): string {
  const ageMs = gatewayNow() - value.takenAtMs;
  if (value.episodic) return words.clockAndAge(clockTime(value.takenAtMs), ageInWords(ageMs));
  return ageMs >= ageShownFromMs || silentForMs.value > 0 ? words.ago(ageInWords(ageMs)) : '';
}
