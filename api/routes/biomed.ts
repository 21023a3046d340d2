import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import Type from 'typebox';
import { Fault } from '../../model/fault.ts';
import { IdSchema } from '../../model/ids.ts';
import type { Device } from '../../model/device.ts';
import type { Person } from '../../model/person.ts';
import { hasRole, inSight, nurses, personOf, sees } from '../auth.ts';
import { pageBy } from '../page.ts';
import { mustBe, settle } from '../problems.ts';
import type { DeviceRequest, Services } from '../services.ts';
import {
  DeviceChangeShape,
  DeviceHealthShape,
  DeviceRequestShape,
  DeviceShape,
  FaultShape,
  SettingsShape,
} from '../shapes/device.ts';
import { open, PageQuery, pageOf, record, text } from '../shapes/shape.ts';

const Id = record({ id: IdSchema });
const DriverShape = record({
  name: Type.String(),
  title: Type.String(),
  metrics: Type.Array(Type.String()),
  settings: open(),
});
const Credentials = record({ clientId: Type.String(), username: Type.String(), password: Type.String() });
const Tested = record({ seen: Type.Array(open()), fault: Type.Optional(FaultShape) });

const keeping = ['biomed'] as const;
const reading = ['biomed', ...nurses, 'admin'] as const;

/** Drivers and devices: registering, testing and looking after them. */
export const biomedRoutes: FastifyPluginAsyncTypebox<{ services: Services }> = async (app, { services }) => {
  const { devices } = services;
  const tags = ['devices'];

  app.get(
    '/drivers',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Drivers, each with the schema of its settings',
        response: { 200: record({ items: Type.Array(DriverShape) }) },
      },
    },
    async () => ({ items: devices.drivers().map((driver) => ({ ...driver, metrics: [...driver.metrics] })) }),
  );

  app.get(
    '/devices',
    {
      config: { roles: reading },
      schema: {
        tags,
        summary: 'Devices of your wards',
        description: 'Their settings are shown to biomedical engineers only.',
        querystring: record({
          ward: Type.Optional(IdSchema),
          scan: Type.Optional(
            Type.String({
              minLength: 1,
              maxLength: 256,
              description: 'A scanned label: id, asset number, serial number, UDI or GS1',
            }),
          ),
          ...PageQuery,
        }),
        response: { 200: pageOf(DeviceShape) },
      },
    },
    async (request) => {
      const { ward, scan, ...page } = request.query;
      const person = personOf(request);
      const found = scan === undefined ? devices.devices({ ward }) : devices.scanned(scan);
      const seen = found.filter(
        (device) => sees(person, device.ward) && (ward === undefined || device.ward === ward),
      );
      return pageBy(
        seen.map((device) => forPerson(person, device)),
        page,
        (device) => device.id,
      );
    },
  );

  app.get(
    '/devices/:id',
    {
      config: { roles: reading },
      schema: { tags, summary: 'A device', params: Id, response: { 200: DeviceShape } },
    },
    async (request) => {
      const person = personOf(request);
      return forPerson(person, inSight(person, devices.device(request.params.id)));
    },
  );

  app.post(
    '/devices',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Register a device',
        body: DeviceRequestShape,
        response: { 201: DeviceShape },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      placeInSight(services, person, request.body);
      const device = settle(await devices.register(person, request.body), 'ward');
      void reply.code(201);
      return device;
    },
  );

  app.patch(
    '/devices/:id',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Change what is given, leave the rest',
        params: Id,
        body: DeviceChangeShape,
        response: { 200: DeviceShape },
      },
    },
    async (request) => {
      const person = personOf(request);
      const device = inSight(person, devices.device(request.params.id));
      placeInSight(services, person, { ...request.body, ward: request.body.ward ?? device.ward });
      return settle(await devices.change(person, device.id, request.body));
    },
  );

  app.delete(
    '/devices/:id',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Take a device out of the registry',
        description: 'Its series stay. Refused while an association is open.',
        params: Id,
        response: { 204: Type.Null() },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      const device = inSight(person, devices.device(request.params.id));
      mustBe('done', await devices.remove(person, device.id));
      void reply.code(204);
      return null;
    },
  );

  app.post(
    '/devices/test',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Open a device for up to 10 s without registering it',
        body: record({ driver: text(64), settings: SettingsShape }),
        response: { 200: Tested },
      },
    },
    async (request) => {
      const { seen, fault } = settle(await devices.test(request.body));
      return { seen: [...seen], ...(fault ? { fault } : {}) };
    },
  );

  app.post(
    '/devices/:id/test',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Listen to a registered device for 10 s',
        description: 'Its session goes on meanwhile; a device that speaks the contract itself has none.',
        params: Id,
        body: record({}),
        response: { 200: Tested },
      },
    },
    async (request) => {
      const device = inSight(personOf(request), devices.device(request.params.id));
      const { seen, fault } = settle(await devices.listenIn(device.id));
      return { seen: [...seen], ...(fault ? { fault } : {}) };
    },
  );

  app.get(
    '/devices/:id/health',
    {
      config: { roles: reading },
      schema: {
        tags,
        summary: 'Link, counters and the last fault of a device',
        params: Id,
        response: { 200: DeviceHealthShape },
      },
    },
    async (request) => {
      const device = inSight(personOf(request), devices.device(request.params.id));
      const health = devices.health(device.id);
      if (!health) throw new Fault('API_NOT_FOUND');
      return health;
    },
  );

  app.post(
    '/devices/:id/credentials',
    {
      config: { roles: keeping },
      schema: {
        tags,
        summary: 'Make a new secret for a device that speaks the contract itself',
        description: 'Told once; the old one ends.',
        params: Id,
        body: record({}),
        response: { 201: Credentials },
      },
    },
    async (request, reply) => {
      const person = personOf(request);
      const device = inSight(person, devices.device(request.params.id));
      const credentials = settle(await devices.makeCredentials(person, device.id));
      void reply.code(201).header('cache-control', 'no-store');
      return credentials;
    },
  );
};

/** Settings may hold an address or a community string; only who keeps the device needs them. */
const forPerson = (person: Person, device: Device): Device => {
  if (hasRole(person, 'biomed')) return device;
  const { settings: _settings, ...rest } = device;
  return rest;
};

function placeInSight({ census }: Services, person: Person, to: Pick<DeviceRequest, 'ward' | 'bed'>): void {
  if (!sees(person, to.ward)) throw new Fault('API_NOT_FOUND', { what: 'ward' });
  if (to.bed !== undefined && inSight(person, census.bed(to.bed), 'bed').ward !== to.ward)
    throw new Fault('API_NOT_FOUND', { what: 'bed in that ward' });
}
