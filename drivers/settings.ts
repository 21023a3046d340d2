import type { TObject } from 'typebox';
import { Value } from 'typebox/value';
import { Fault } from '../model/fault.ts';
import type { DriverSettings, ForeignGrant } from './driver.ts';
import { settings as alaris } from './alaris/settings.ts';
import { settings as bbraunSpace } from './bbraun-space/settings.ts';
import { settings as masimo } from './masimo/settings.ts';
import { settings as medibus } from './medibus/settings.ts';
import { settings as modbus } from './modbus/settings.ts';
import { settings as opcua } from './opcua/settings.ts';
import { settings as puritanBennett } from './puritan-bennett/settings.ts';
import { settings as philipsIntellivue } from './philips-intellivue/settings.ts';
import { settings as nonin } from './nonin/settings.ts';
import { settings as nellcor } from './nellcor/settings.ts';
import { settings as berry } from './berry/settings.ts';
import { settings as contec } from './contec/settings.ts';
import { settings as capnostream } from './capnostream/settings.ts';
import { settings as welchAllynCo2 } from './welch-allyn-co2/settings.ts';
import { settings as wearableGatt } from './wearable-gatt/settings.ts';
import { settings as wearableJson } from './wearable-json/settings.ts';
import { settings as geDri } from './ge-dri/settings.ts';
import { settings as ivy } from './ivy/settings.ts';
import { settings as hl7Listener } from './hl7-listener/settings.ts';

/**
 * The light half of every driver: names, titles, schemas, metrics. The gateway reads this file and nothing else of
 * drivers/, so no device library is loaded into it.
 */
export const driverSettings: readonly DriverSettings[] = [
  masimo,
  modbus,
  opcua,
  medibus,
  puritanBennett,
  bbraunSpace,
  alaris,
  nonin,
  nellcor,
  berry,
  contec,
  capnostream,
  welchAllynCo2,
  philipsIntellivue,
  wearableGatt,
  wearableJson,
  geDri,
  ivy,
  hl7Listener,
];

export const findSettings = (name: string): DriverSettings | undefined =>
  driverSettings.find((driver) => driver.name === name);

export type CheckedSettings =
  | { readonly settings: Readonly<Record<string, unknown>>; readonly faults?: undefined }
  | { readonly faults: readonly Fault[]; readonly settings?: undefined };

/** Settings with defaults filled in, or one DRIVER_SETTINGS fault a wrong field (DRIVER_UNKNOWN for no such driver). */
export function checkSettings(driver: string, given: unknown): CheckedSettings {
  const known = findSettings(driver);
  if (!known) {
    const names = driverSettings.map(({ name }) => name).join(', ');
    return { faults: [new Fault('DRIVER_UNKNOWN', { driver, known: names })] };
  }
  return checkAgainst(known.settings, driver, given);
}

/** What a device of this driver is granted on the raw lane, from checked settings; undefined for a driver with a wire. */
export const foreignGrant = (
  driver: string,
  settings: Readonly<Record<string, unknown>>,
): ForeignGrant | undefined => findSettings(driver)?.foreign?.(settings);

/** As checkSettings, for a schema at hand. */
export function checkAgainst(schema: TObject, driver: string, given: unknown): CheckedSettings {
  const filled: unknown = Value.Default(schema, structuredClone(given ?? {}));
  if (Value.Check(schema, filled)) return { settings: filled as Record<string, unknown> };
  const causes = new Map<string, string>();
  for (const error of Value.Errors(schema, filled)) {
    for (const [path, cause] of wrongFields(error)) if (!causes.has(path)) causes.set(path, cause);
  }
  return {
    faults: [...causes].map(([path, cause]) => new Fault('DRIVER_SETTINGS', { path, driver, cause })),
  };
}

interface SchemaError {
  readonly keyword: string;
  readonly instancePath: string;
  readonly params: object;
  readonly message: string;
}

/** A missing or surplus field is told of its parent by the checker; the person wants the field itself. */
function wrongFields({ keyword, instancePath, params, message }: SchemaError): [string, string][] {
  const at = (field: string): string => `${instancePath}/${field}`;
  const listed = params as { requiredProperties?: string[]; additionalProperties?: string[] };
  if (keyword === 'required') {
    return (listed.requiredProperties ?? []).map((field) => [at(field), 'is missing']);
  }
  if (keyword === 'additionalProperties') {
    return (listed.additionalProperties ?? []).map((field) => [at(field), 'is not a setting of this driver']);
  }
  if (keyword === 'boolean' || keyword === 'const')
    return keyword === 'boolean' ? [] : [[instancePath, 'is not one of the choices']];
  return [[instancePath === '' ? '/' : instancePath, message]];
}
