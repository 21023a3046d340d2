/** One good call of every route, in ward east. Tests made from the API's description fail where one is missing. */
export interface Example {
  readonly url: string;
  readonly body?: Record<string, unknown>;
  /** The same for something that does not exist; absent where the route names nothing. */
  readonly absent?: { readonly url?: string; readonly body?: Record<string, unknown> };
}

const admission = {
  ward: 'east',
  bed: 'east-2',
  patient: { mrn: 'M-1', name: 'Li', birthDate: '1950-01-31', sex: 'female' },
  profile: 'adult',
  admittedAtMs: 1_767_578_400_000,
};
const device = {
  id: 'device-new',
  label: 'Oximeter',
  ward: 'east',
  bed: 'east-2',
  driver: 'masimo',
  settings: { path: '/dev/ttyS1', speed: 9600 },
  duty: 'spare',
  identity: { manufacturer: 'M', model: 'R', serial: '1' },
  assetNumber: 'A-1',
  periodMs: 1_000,
};
const association = { device: 'device-east', bed: 'east-1', encounter: 'encounter-east', beginAtMs: 1 };
const limits = {
  limits: [
    {
      metric: 'MDC_ECG_HEART_RATE',
      direction: 'high',
      priority: 'medium',
      value: 130,
      delayS: 10,
      hysteresis: 2,
      untilMs: 1_767_578_400_000,
    },
  ],
  reason: 'known tachycardia',
};

export const examples: Readonly<Record<string, Example>> = {
  'GET /health': { url: '/health' },
  'GET /metrics': { url: '/metrics' },
  'GET /api/v1/setup': { url: '/api/v1/setup' },
  'POST /api/v1/setup': {
    url: '/api/v1/setup',
    body: { token: 'x', user: 'ann', name: 'Ann', password: 'seven violet teapots' },
  },
  'POST /api/v1/session': {
    url: '/api/v1/session',
    body: { user: 'nobody', password: 'seven violet teapots' },
  },
  'GET /api/v1/session': { url: '/api/v1/session' },
  'DELETE /api/v1/session': { url: '/api/v1/session' },
  'GET /api/v1/wards': { url: '/api/v1/wards?limit=5' },
  'POST /api/v1/wards': { url: '/api/v1/wards', body: { id: 'north', name: '3 North', profile: 'adult' } },
  'GET /api/v1/beds': { url: '/api/v1/beds?ward=east' },
  'POST /api/v1/beds': {
    url: '/api/v1/beds',
    body: { id: 'east-9', ward: 'east', label: '9' },
    absent: { body: { id: 'east-9', ward: 'none', label: '9' } },
  },
  'GET /api/v1/beds/{id}': { url: '/api/v1/beds/east-1', absent: { url: '/api/v1/beds/none' } },
  'PUT /api/v1/beds/{id}/monitoring': {
    url: '/api/v1/beds/east-1/monitoring',
    body: { state: 'away', reason: 'CT', expectedReturnAtMs: 1_767_578_400_000 },
    absent: { url: '/api/v1/beds/none/monitoring' },
  },
  'GET /api/v1/alarms': { url: '/api/v1/alarms?ward=east' },
  'POST /api/v1/alarms/{id}/acknowledge': {
    url: '/api/v1/alarms/alarm-east/acknowledge',
    body: { version: 1 },
    absent: { url: '/api/v1/alarms/none/acknowledge' },
  },
  'GET /api/v1/encounters': { url: '/api/v1/encounters?ward=east&open=true' },
  'GET /api/v1/encounters/{id}': {
    url: '/api/v1/encounters/encounter-east',
    absent: { url: '/api/v1/encounters/none' },
  },
  'POST /api/v1/encounters': {
    url: '/api/v1/encounters',
    body: admission,
    absent: { body: { ...admission, ward: 'none', bed: 'none' } },
  },
  'POST /api/v1/encounters/{id}/transfer': {
    url: '/api/v1/encounters/encounter-east/transfer',
    body: { ward: 'east', bed: 'east-2' },
    absent: { url: '/api/v1/encounters/none/transfer' },
  },
  'POST /api/v1/encounters/{id}/discharge': {
    url: '/api/v1/encounters/encounter-east/discharge',
    body: { dischargedAtMs: 1_767_578_400_000 },
    absent: { url: '/api/v1/encounters/none/discharge' },
  },
  'GET /api/v1/encounters/{id}/alarm-limits': {
    url: '/api/v1/encounters/encounter-east/alarm-limits',
    absent: { url: '/api/v1/encounters/none/alarm-limits' },
  },
  'PUT /api/v1/encounters/{id}/alarm-limits': {
    url: '/api/v1/encounters/encounter-east/alarm-limits',
    body: limits,
    absent: { url: '/api/v1/encounters/none/alarm-limits' },
  },
  'GET /api/v1/associations': { url: '/api/v1/associations?bed=east-1' },
  'POST /api/v1/associations': {
    url: '/api/v1/associations',
    body: association,
    absent: { body: { ...association, bed: 'none' } },
  },
  'POST /api/v1/associations/{id}/end': {
    url: '/api/v1/associations/association-east/end',
    body: { endAtMs: 1_767_578_500_000, reason: 'changed monitor' },
    absent: { url: '/api/v1/associations/none/end' },
  },
  'GET /api/v1/drivers': { url: '/api/v1/drivers' },
  'GET /api/v1/devices': { url: '/api/v1/devices?ward=east' },
  'POST /api/v1/devices': {
    url: '/api/v1/devices',
    body: device,
    absent: { body: { ...device, ward: 'none', bed: 'none' } },
  },
  'GET /api/v1/devices/{id}': { url: '/api/v1/devices/device-east', absent: { url: '/api/v1/devices/none' } },
  'PATCH /api/v1/devices/{id}': {
    url: '/api/v1/devices/device-east',
    body: { label: 'Oximeter 2', periodMs: 2_000 },
    absent: { url: '/api/v1/devices/none' },
  },
  'DELETE /api/v1/devices/{id}': {
    url: '/api/v1/devices/device-east',
    absent: { url: '/api/v1/devices/none' },
  },
  'GET /api/v1/devices/{id}/health': {
    url: '/api/v1/devices/device-east/health',
    absent: { url: '/api/v1/devices/none/health' },
  },
  'POST /api/v1/devices/{id}/credentials': {
    url: '/api/v1/devices/device-east/credentials',
    body: {},
    absent: { url: '/api/v1/devices/none/credentials' },
  },
  'POST /api/v1/devices/test': {
    url: '/api/v1/devices/test',
    body: { driver: 'masimo', settings: { path: '/dev/ttyS1' } },
  },
  'GET /api/v1/observations': {
    url: '/api/v1/observations?bed=east-1&metric=MDC_ECG_HEART_RATE&limit=3',
    absent: { url: '/api/v1/observations?bed=none' },
  },
  'GET /api/v1/observations/latest': {
    url: '/api/v1/observations/latest?patient=patient-east',
    absent: { url: '/api/v1/observations/latest?patient=none' },
  },
  'GET /api/v1/metrics': { url: '/api/v1/metrics?limit=2' },
  'GET /api/v1/users': { url: '/api/v1/users' },
  'POST /api/v1/users': {
    url: '/api/v1/users',
    body: { user: 'bo', name: 'Bo', password: 'eight yellow kettles', roles: ['nurse'], wards: ['east'] },
  },
};
