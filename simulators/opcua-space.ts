import { DataType, makeAccessLevelFlag, type StatusCode } from 'node-opcua-client';
import type { OPCUAServer } from 'node-opcua-server';
import {
  parameterNodes,
  unitsNamespace,
  type ParameterNode,
  type ParameterPath,
} from './opcua-parameters.ts';

const deviceIntegration = 'http://opcfoundation.org/UA/DI/';

export type AddressSpace = NonNullable<OPCUAServer['engine']['addressSpace']>;
type ObjectType = NonNullable<ReturnType<AddressSpace['findObjectType']>>;
type Parent = NonNullable<ReturnType<AddressSpace['rootFolder']['objects']['getFolderElementByName']>>;

/** What one variable shows: a value and its status, and the instant of its measurement. */
export interface Shown {
  readonly value?: number;
  readonly status: StatusCode;
  readonly takenAtMs: number;
}
export interface Setter {
  readonly path: ParameterPath;
  readonly set: (shown: Shown) => void;
}

/** What the DI nodeset brings (OPC 10000-100). */
export interface DeviceModel {
  readonly deviceSet: Parent;
  readonly deviceType: ObjectType;
  readonly groupType: ObjectType;
}

/** Throws when the DI nodeset was not loaded. */
export function deviceModel(space: AddressSpace): DeviceModel {
  const di = space.getNamespaceIndex(deviceIntegration);
  const deviceSet = space.rootFolder.objects.getFolderElementByName('DeviceSet');
  const deviceType = space.findObjectType('DeviceType', di);
  const groupType = space.findObjectType('FunctionalGroupType', di);
  if (!deviceSet || !deviceType || !groupType) throw new Error('the DI nodeset lacks what DI defines');
  return { deviceSet, deviceType, groupType };
}

/** Puts `monitor{number}` into the device set; what it returns sets the value of each parameter. */
export function buildMonitor(
  space: AddressSpace,
  { deviceSet, deviceType, groupType }: DeviceModel,
  number: number,
): readonly Setter[] {
  const root = `monitor${number}`;
  const own = space.getOwnNamespace();
  const nodeId = (path: string): string => `s=${root}.${path}`;
  const monitor = own.addObject({
    browseName: `Monitor${number}`,
    displayName: `Monitor ${number}`,
    nodeId: `s=${root}`,
    organizedBy: deviceSet,
    typeDefinition: deviceType,
  });
  const identity = (name: string, path: string, dataType: DataType, value: unknown): void => {
    own.addVariable({
      propertyOf: monitor,
      // Names of DeviceType's properties belong to DI (OPC 10000-100, 4.5.1).
      browseName: { name, namespaceIndex: space.getNamespaceIndex(deviceIntegration) },
      nodeId: nodeId(path),
      dataType,
      value: { dataType, value },
    });
  };
  identity('Manufacturer', 'manufacturer', DataType.LocalizedText, { text: 'Generic' });
  identity('Model', 'model', DataType.LocalizedText, { text: 'Simulated Monitor' });
  identity('SerialNumber', 'serial', DataType.String, `SIM-${String(number).padStart(4, '0')}`);

  const groups = new Map<string, Parent>();
  return parameterNodes.map((parameter) => {
    const groupPath = parameter.path.split('.')[0] ?? parameter.path;
    let group = groups.get(parameter.group);
    if (!group) {
      group = own.addObject({
        browseName: parameter.group,
        nodeId: nodeId(groupPath),
        componentOf: monitor,
        typeDefinition: groupType,
      });
      groups.set(parameter.group, group);
    }
    return {
      path: parameter.path,
      set: addParameter(space, { parameter, group, nodeId: nodeId(parameter.path) }),
    };
  });
}

function addParameter(
  space: AddressSpace,
  { parameter, group, nodeId }: { parameter: ParameterNode; group: Parent; nodeId: string },
): Setter['set'] {
  const own = space.getOwnNamespace();
  const { unit, range, mdcCode, mdcRefId } = parameter;
  const variable = own.addAnalogDataItem({
    componentOf: group,
    browseName: parameter.name,
    nodeId,
    typeDefinition: 'AnalogUnitRangeType',
    dataType: DataType.Double,
    engineeringUnitsRange: { low: range[0], high: range[1] },
    engineeringUnits: {
      namespaceUri: unit.namespaceUri ?? unitsNamespace,
      unitId: unit.unitId,
      displayName: { text: unit.displayName },
      description: { text: unit.description },
    },
    // A monitor shows what it measures; EURange is for drawing (OPC 10000-8, 5.3.2.3).
    acceptValueOutOfRange: true,
  });
  // The type is made writable by default; a monitor is only read.
  variable.accessLevel = makeAccessLevelFlag('CurrentRead');
  variable.userAccessLevel = makeAccessLevelFlag('CurrentRead');
  const property = (browseName: string, dataType: DataType, value: unknown): void => {
    own.addVariable({
      propertyOf: variable,
      browseName,
      nodeId: `${nodeId}.${browseName}`,
      dataType,
      value: { dataType, value },
    });
  };
  property('MdcCode', DataType.UInt32, mdcCode);
  property('MdcRefId', DataType.String, mdcRefId);
  return ({ value, status, takenAtMs }) => {
    const variant = value === undefined ? { dataType: DataType.Null } : { dataType: DataType.Double, value };
    variable.setValueFromSource(variant, status, new Date(takenAtMs));
  };
}
