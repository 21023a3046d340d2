import type { Inactivation, Priority } from '../../model/alarm.ts';
import type { ActiveAlert } from '../transport/told.ts';

// Booleans and colours are 16 bits: reserved, sound, 2 reserved, silence; then five of 80 + 3 × 2 + 12 bytes.
const headLength = 10;
const entryLength = 98;
const textLength = 80;
const entries = 5;
const colours: Readonly<Record<number, Priority | 'advisory'>> = {
  0: 'advisory',
  1: 'low',
  2: 'medium',
  3: 'high',
};
/** Texts about the equipment; all others are taken for the patient's. */
const equipment =
  /\b(leads?|electrode|probe|cable|sensor|module|disconnect|cuff|hose|calibrat|zero|artefact|artifact|interference|noise|fail|error|battery|check|occlu|fan|replace|no data|not connected|off$)/i;

/** The alarms of an alarm status part, all that are now shown; in words why it is none. */
export function alarmsOf(bytes: Buffer): readonly ActiveAlert[] | string {
  if (bytes.length < headLength + entries * entryLength) return 'the alarm status is too short';
  const sound = bytes.readInt16LE(2);
  const silence = bytes.readInt16LE(8);
  if (sound < 0 || sound > 1 || silence < 0 || silence > 7) return 'no alarm status of this form';
  const found: ActiveAlert[] = [];
  for (let each = 0; each < entries; each++) {
    const at = headLength + each * entryLength;
    const text = textOf(bytes.subarray(at, at + textLength));
    if (text === '') continue;
    const alertId =
      text
        .toLowerCase()
        .replace(/[^a-z0-9]+/g, '-')
        .replace(/^-|-$/g, '') || `text-${each}`;
    if (found.some((other) => other.alertId === alertId)) continue;
    const colour = bytes.readInt16LE(at + textLength + 2);
    found.push({
      alertId,
      code: text,
      text,
      priority: colours[colour] ?? 'medium',
      type: equipment.test(text) ? 'technical' : 'physiological',
      inactivation: inactivationOf(text, sound, silence),
    });
  }
  return found;
}

function textOf(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes
    .subarray(0, end < 0 ? bytes.length : end)
    .toString('latin1')
    .replace(/\p{C}+/gu, ' ')
    .replace(/ +/g, ' ')
    .trim();
}

/** Silence: 1 apnoea, 2 asystole, 3 both, 4 all, 5 to 7 all for a time. */
function inactivationOf(text: string, sound: number, silence: number): Inactivation {
  if (silence >= 5) return 'audioPaused';
  if (silence === 4 || sound === 0) return 'audioOff';
  if (silence & 1 && /apn/i.test(text)) return 'audioOff';
  return silence & 2 && /asy/i.test(text) ? 'audioOff' : 'enabled';
}
