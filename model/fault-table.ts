/**
 * Who has to do something about it: `person` wrong settings or a wrong request, `world` the wire, the disk or the
 * network (supervised retry), `programmer` a broken assumption of ours (that session is stopped).
 */
export type FaultClass = 'person' | 'world' | 'programmer';

export interface FaultRow {
  readonly class: FaultClass;
  /** What happened, in words; `{name}` is filled from the fault's details. */
  readonly message: string;
  /** The next step for the person who reads it. */
  readonly whatToDo: string;
}

/**
 * Every fault there is, by code. `docs/operating.md` lists the same rows; a test holds both together.
 * A code's prefix names its room.
 */
export const faultTable = {
  // configuration and start
  CONFIG_INVALID: {
    class: 'person',
    message: 'the configuration {file} has {count} error(s)',
    whatToDo: 'Mend each line named above, then start again.',
  },
  CONFIG_OUTWARD_WITHOUT_TLS: {
    class: 'person',
    message: 'listener {listener} would bind to {address} without TLS',
    whatToDo: 'Configure tls for it, bind it to 127.0.0.1, or set {listener}.allowPlaintextOutward to true.',
  },
  FORMAT_TOO_NEW: {
    class: 'person',
    message: '{what} has format version {found}; this Vigil knows up to {known}',
    whatToDo: 'Start the newer Vigil that wrote it, or restore the backup made before the upgrade.',
  },
  // journal
  JOURNAL_WRITE: {
    class: 'world',
    message: 'the journal could not write ({cause})',
    whatToDo: 'Free space on the disk of the data folder or replace it; Vigil goes on by itself.',
  },
  JOURNAL_HUNG: {
    class: 'world',
    message: 'the journal has not confirmed a write for {sinceMs} ms',
    whatToDo: 'Check the disk of the data folder; values are judged but not recorded until it answers.',
  },
  JOURNAL_CORRUPT: {
    class: 'world',
    message: 'segment {segment} is damaged from byte {offset} ({cause})',
    whatToDo: 'Nothing to do for the rest; the damaged range stands in the loss ledger. Check the disk.',
  },
  JOURNAL_LOCKED: {
    class: 'person',
    message: 'the journal in {folder} is in use by another process',
    whatToDo: 'Stop the Vigil that runs on this data folder, or give this one a folder of its own.',
  },
  JOURNAL_READER: {
    class: 'programmer',
    message: 'the thread that reads the journal back ended ({cause})',
    whatToDo:
      'Values are still recorded; restart Vigil so that they reach the store, and report this with the log.',
  },
  JOURNAL_SLOW: {
    class: 'world',
    message: 'the journal is behind by {pending} messages',
    whatToDo: 'Check the disk of the data folder.',
  },
  // store
  STORE_READ: {
    class: 'world',
    message: 'the historian could not answer ({cause})',
    whatToDo: 'Try again; if it stays, check the disk of the data folder and restart Vigil.',
  },
  STORE_CURSOR: {
    class: 'person',
    message: 'the cursor is not one of ours',
    whatToDo: 'Give `next` of the page before as it came, or begin anew without a cursor.',
  },
  STORE_TOO_MUCH: {
    class: 'person',
    message: 'the query asks for {asked} rows; at most {most} are given at once',
    whatToDo: 'Ask for a shorter time or longer intervals.',
  },
  STORE_CORRECTIONS: {
    class: 'world',
    message: 'no more than {most} corrections are kept',
    whatToDo: 'Raise historian.corrections in vigil.yaml.',
  },
  STORE_WRITE: {
    class: 'world',
    message: 'the historian could not write ({cause}); it waits and tries again',
    whatToDo:
      'Free space on the disk of the data folder or replace it; the journal keeps what is not yet stored.',
  },
  BOOKS_WRITE: {
    class: 'world',
    message: 'the books could not be written or read ({cause})',
    whatToDo:
      'Free space on the disk of the data folder or replace it; what is not yet in the books is read again from the journal.',
  },
  DATABASE_OPEN: {
    class: 'world',
    message: 'the database of {what} cannot be opened ({cause})',
    whatToDo: 'Check that the data folder exists, is writable and is used by one Vigil only.',
  },
  DATABASE_CORRUPT: {
    class: 'world',
    message: 'the database of {what} was damaged ({cause}) and is set aside as {file}',
    whatToDo:
      'Check the disk; restore from the newest backup what was in it. The historian re-reads what the journal still has.',
  },
  STORE_CORRUPT: {
    class: 'world',
    message: 'a stretch of {observations} stored observations from {fromMs} to {toMs} is damaged ({cause})',
    whatToDo: 'The rest is served. Check the disk.',
  },
  STORE_BODY: {
    class: 'programmer',
    message: 'batch {number} of class {klass} cannot be read by the historian ({cause})',
    whatToDo: 'Report this with the log; the batch is left out of the historian.',
  },
  WAVEFORMS_READ: {
    class: 'world',
    message: 'the store of waveforms could not answer ({cause})',
    whatToDo: 'Try again; if it stays, check the disk of the data folder and restart Vigil.',
  },
  WAVEFORMS_WRITE: {
    class: 'world',
    message: 'the store of waveforms could not write ({cause}); it waits and tries again',
    whatToDo:
      'Free space on the disk of the data folder or replace it; the journal keeps what is not yet stored.',
  },
  WAVEFORMS_TOO_MUCH: {
    class: 'person',
    message: 'the query asks for about {asked} samples; at most {most} are given at once',
    whatToDo: 'Ask for a shorter time or fewer metrics, or name a width to get lowest and highest a column.',
  },
  WAVEFORMS_BODY: {
    class: 'programmer',
    message: 'batch {number} of waveforms cannot be read by their store ({cause})',
    whatToDo: 'Report this with the log; the batch is left out of the store.',
  },
  WAVEFORMS_CORRUPT: {
    class: 'world',
    message: 'a stretch of {samples} stored samples is damaged ({cause})',
    whatToDo: 'The rest is served. Check the disk.',
  },
  WAVEFORMS_BOUND: {
    class: 'world',
    message: 'the waveforms reached their bound of {bytes} bytes; the oldest go before their time',
    whatToDo: 'Raise waveforms.maxBytes or lower waveforms.retentionHours; the loss ledger says what went.',
  },
  ROWS_WRITE: {
    class: 'world',
    message: 'registry or alarm log could not be written ({cause})',
    whatToDo:
      'Free space on the disk of the data folder; alarm log entries wait in memory and are written then.',
  },
  ROWS_READ: {
    class: 'world',
    message: 'registry or logs could not be read ({cause})',
    whatToDo: 'Try again; if it stays, check the disk of the data folder and restart Vigil.',
  },
  ROWS_DAMAGED: {
    class: 'world',
    message: '{count} row(s) of {what} are not as they were written and are left out',
    whatToDo: 'Check the disk; restore from the newest backup, or enter again what is missing.',
  },
  ROWS_CUT_OFF: {
    class: 'world',
    message: 'the newest {count} entries of {log} are gone',
    whatToDo:
      'Check the disk; what was changed in the last minutes before the stop may have to be entered again.',
  },
  AUDIT_BROKEN: {
    class: 'world',
    message: 'the chain of the audit is broken at record {number} ({cause})',
    whatToDo:
      'Somebody changed the file, or the disk did: compare with the newest backup and tell your data protection officer.',
  },
  ROWS_UNANSWERED: {
    class: 'world',
    message: 'registry and logs did not answer ({cause})',
    whatToDo:
      'Try again; Vigil restarts their worker by itself. If it stays, check the disk of the data folder.',
  },
  ROWS_OVERFLOW: {
    class: 'world',
    message: '{count} entries of {log} could not be kept: too many wait for the disk',
    whatToDo: 'Free space on the disk of the data folder.',
  },
  WORKER_ENDED: {
    class: 'world',
    message: 'the {worker} worker ended ({cause})',
    whatToDo: 'Vigil restarts it by itself; if it comes back, check disk and memory.',
  },
  WORKER_SILENT: {
    class: 'world',
    message: 'the {worker} worker has been silent for {sinceMs} ms',
    whatToDo: 'Vigil restarts it by itself; if it comes back, check disk and memory.',
  },
  // time-series servers
  SINK_AWAY: {
    class: 'world',
    message: 'the time-series server of sink {sink} takes nothing now ({cause})',
    whatToDo:
      'Vigil keeps what it owes and tries again by itself. If it stays, check the server and the network.',
  },
  SINK_SECRET: {
    class: 'person',
    message: 'secret or certificates of sink {sink} cannot be read ({cause})',
    whatToDo:
      'Put the secret where vigil.yaml says and let Vigil read it; it goes on by itself, nothing is lost.',
  },
  SINK_SECRET_REFUSED: {
    class: 'person',
    message: 'the time-series server of sink {sink} refuses the token or password ({cause})',
    whatToDo:
      'Renew it in the place vigil.yaml names; Vigil reads it again and goes on by itself, nothing is lost.',
  },
  SINK_FORBIDDEN: {
    class: 'person',
    message: 'the token of sink {sink} may not write there ({cause})',
    whatToDo:
      'Give it the right to write to the bucket or database; Vigil goes on by itself, nothing is lost.',
  },
  SINK_PLACE_UNKNOWN: {
    class: 'person',
    message: 'the time-series server of sink {sink} does not know the bucket, database or path ({cause})',
    whatToDo: 'Create it there, or correct it in vigil.yaml and restart; nothing is lost.',
  },
  SINK_STRANGE: {
    class: 'person',
    message: 'what answers for sink {sink} is not the server that vigil.yaml says ({cause})',
    whatToDo: 'Check url and kind of the sink and any proxy before it; ask for the test of the sink.',
  },
  SINK_REFUSES: {
    class: 'world',
    message: 'the time-series server of sink {sink} refuses everything it is sent ({cause})',
    whatToDo:
      'Read its own log; a field of another type may stand in the measurement already. Nothing is lost.',
  },
  SINK_LINES_REFUSED: {
    class: 'world',
    message: 'the server of sink {sink} refused {count} observation(s) for good ({cause})',
    whatToDo: 'They stand in the loss ledger and in the historian; the rest is stored. Read the cause.',
  },
  SINK_BODY: {
    class: 'programmer',
    message: 'batch {number} of class {klass} cannot be read for sink {sink} ({cause})',
    whatToDo: 'Report this with the log; the batch is left out of that sink.',
  },
  SINK_FORGOTTEN: {
    class: 'person',
    message:
      'sink {sink} is no longer named in vigil.yaml; {batches} batches it had not got are no longer kept for it',
    whatToDo: 'Nothing, if that is meant. Under its old id it would get from now on only what is new.',
  },
  SINK_CURSOR: {
    class: 'person',
    message: 'the cursor is not one of this store',
    whatToDo: 'Give `next` of the page before as it came, or begin anew without a cursor.',
  },
  SINK_READ: {
    class: 'world',
    message: 'the time-series server of sink {sink} could not answer ({cause})',
    whatToDo:
      'Try again; if it stays, ask for the test of the sink. The newest hours are read from Vigil itself.',
  },
  // wires
  WIRE_CLOSED: {
    class: 'world',
    message: 'the connection to {address} closed',
    whatToDo: 'Check the cable, the device server and that the device is switched on.',
  },
  WIRE_REFUSED: {
    class: 'world',
    message: '{address} refused the connection',
    whatToDo: 'Check address and port, and that no other program holds the device.',
  },
  WIRE_TIMEOUT: {
    class: 'world',
    message: '{address} did not answer within {deadlineMs} ms',
    whatToDo: 'Check that the device is on, its address and the speed settings.',
  },
  WIRE_SILENT: {
    class: 'world',
    message: 'no data from {address} for {sinceMs} ms',
    whatToDo: 'Check the cable, and that the device is set to send data.',
  },
  WIRE_NO_PORT: {
    class: 'world',
    message: 'there is no serial port {address}',
    whatToDo: 'Plug the adapter in; name it by /dev/serial/by-id so that it keeps its name.',
  },
  FRAME_BAD: {
    class: 'world',
    message: 'bytes that are no valid frame ({cause})',
    whatToDo: 'If it persists check cable, speed, parity and the output format set on the device.',
  },
  IDENTITY_MISMATCH: {
    class: 'world',
    message: 'another device answers: {seen} instead of {registered}',
    whatToDo: 'Connect the registered device, or register this one.',
  },
  DRIVER_UNKNOWN: {
    class: 'person',
    message: 'there is no driver {driver}',
    whatToDo: 'Use one of: {known}.',
  },
  DRIVER_SETTINGS: {
    class: 'person',
    message: 'setting {path} of driver {driver} is wrong: {cause}',
    whatToDo: 'Correct the setting.',
  },
  DRIVER_BROKE: {
    class: 'programmer',
    message: 'driver {driver} broke an assumption ({cause})',
    whatToDo: 'Vigil reopens the device; report this with the log.',
  },
  MAP_INVALID: {
    class: 'person',
    message: 'map {map} is wrong at {path}: {cause}',
    whatToDo: 'Correct the map.',
  },
  // modbus
  CHART_INVALID: {
    class: 'person',
    message: 'the score chart {file} cannot be used: {cause}',
    whatToDo: 'Mend the chart, or take it out of the folder of alarms.charts, then start again.',
  },
  MODBUS_EXCEPTION: {
    class: 'world',
    message: 'unit {unit} answered exception {exception} ({name})',
    whatToDo: 'Check the address and table in the map.',
  },
  MODBUS_CRC: {
    class: 'world',
    message: 'a reply of unit {unit} failed its checksum',
    whatToDo: 'Check wiring, termination, speed and parity of the bus.',
  },
  MODBUS_MISMATCH: {
    class: 'world',
    message: 'unit {unit} answered what was not asked ({cause})',
    whatToDo: 'Two masters on one bus, or a slow unit: raise its timeout.',
  },
  MODBUS_LATE: {
    class: 'world',
    message: 'unit {unit} answers late; its values are in doubt',
    whatToDo: 'Raise timeoutMs of the device above its slowest answer.',
  },
  // opcua
  OPCUA_SESSION: {
    class: 'world',
    message: 'no session with {address} ({cause})',
    whatToDo: 'Check the endpoint, its security mode and that the server allows another session.',
  },
  OPCUA_UNTRUSTED: {
    class: 'world',
    message: 'the certificate of {address} is not trusted',
    whatToDo: 'Compare its fingerprint with the server and put the certificate into the trusted folder.',
  },
  OPCUA_NODE: {
    class: 'world',
    message: 'node {node} is not on the server',
    whatToDo: 'Correct the node id in the map.',
  },
  // host and contract
  HOST_JOURNAL: {
    class: 'world',
    message: 'driver host {host} cannot write its journal ({cause})',
    whatToDo: 'Free disk space on the host; values go on from memory but would not survive a restart.',
  },
  HOST_DROPPED: {
    class: 'world',
    message: 'driver host {host} had to drop {count} messages ({cause})',
    whatToDo: 'Free disk space on the host or raise its bounds; the dropped span is lost.',
  },
  HOST_GATEWAY_LOST: {
    class: 'world',
    message: 'driver host {host} has lost the gateway ({cause})',
    whatToDo: 'Check the network; nothing is lost while the host journal has room.',
  },
  CONTRACT_PAYLOAD: {
    class: 'world',
    message: 'a message of {device} cannot be read ({cause})',
    whatToDo: 'Look at it in quarantine and mend the sender.',
  },
  CONTRACT_GAPS: {
    class: 'world',
    message: 'device {device} sent more gaps in its sequence than Vigil remembers',
    whatToDo: 'Look at the network of the device and at its own queue; very old re-sends may be kept twice.',
  },
  DEVICE_NOT_RUN: {
    class: 'person',
    message: 'device {device} does not run on its host',
    whatToDo: 'It may be in maintenance, or its settings are refused: look at its health.',
  },
  RAW_UNREAD: {
    class: 'world',
    message: 'for a minute no driver was open that could read what device {device} publishes',
    whatToDo:
      'Look at the health of the device: its settings, its serial number, its driver host. What came meanwhile stands in the loss ledger.',
  },
  CONTRACT_BOOT_REUSED: {
    class: 'world',
    message: 'device {device} used its boot id twice',
    whatToDo: 'The sender must draw a new random boot id at each start or keep its counter.',
  },
  // front door
  DOOR_NOT_AUTHENTICATED: {
    class: 'person',
    message: 'client {client} gave a wrong secret or is not registered',
    whatToDo: 'Make new credentials for the device and enter them there.',
  },
  DOOR_NOT_ALLOWED: {
    class: 'person',
    message: 'client {client} may not use topic {topic}',
    whatToDo: 'Check the topic the device is set to; it may use only its own branch.',
  },
  DOOR_PROTOCOL: {
    class: 'world',
    message: 'client {client} broke the protocol ({cause})',
    whatToDo: 'Check the sender; it must speak MQTT 3.1.1.',
  },
  DOOR_TOO_MANY: {
    class: 'world',
    message: 'too many connections from {address}',
    whatToDo: 'Find the sender that reconnects in a loop; raise broker.limits if it is meant.',
  },
  DOOR_BANNED: {
    class: 'world',
    message: 'client {client} connects too often and is refused for some minutes',
    whatToDo: 'Two senders may share one id, or it loses its network: give each its own, check the Wi-Fi.',
  },
  DOOR_SLOW: {
    class: 'world',
    message: 'client {client} does not read what it subscribed to and was disconnected',
    whatToDo: 'Check the client and its network; it may connect again at once.',
  },
  // simulators
  SIM_NO_RECORDING: {
    class: 'person',
    message: 'there is no recording {name}',
    whatToDo: 'Use one of: {known}.',
  },
  SIM_RECORDING_BAD: {
    class: 'world',
    message: 'recording {name} cannot be read at line {line} ({cause})',
    whatToDo: 'Restore simulators/recordings from the repository.',
  },
  SIM_NO_SOCAT: {
    class: 'world',
    message: 'socat made no pair of serial ports ({cause})',
    whatToDo: 'Install socat, or let the simulator speak raw TCP.',
  },
  SIM_PORT: {
    class: 'world',
    message: 'a simulated device cannot listen on {address} ({cause})',
    whatToDo: 'Give it a free port.',
  },
  // api
  BACKUP_KEY: {
    class: 'person',
    message: 'the key of the backup does not do: {cause}',
    whatToDo: 'Give the key file or passphrase the backup was made with; a new one must be long enough.',
  },
  BACKUP_CHANGED: {
    class: 'world',
    message: 'the backup is not as it was written: {cause}',
    whatToDo: 'Use another backup; nothing of this one was restored.',
  },
  BACKUP_WRITE: {
    class: 'world',
    message: 'the backup could not be written ({cause})',
    whatToDo:
      'Check that the folder is there, writable and has room; a file that exists is never overwritten.',
  },
  BACKUP_SOURCE: {
    class: 'world',
    message: '{what} could not be read for the backup ({cause})',
    whatToDo: 'Check the data folder and its disk; what the log says of this part comes first.',
  },
  BACKUP_COPY: {
    class: 'world',
    message: 'the second folder has no fresh copy ({cause})',
    whatToDo: 'Check that backup.copyTo is there (mounted), writable and has room; it catches up by itself.',
  },
  BACKUP_COPY_FOREIGN: {
    class: 'person',
    message: 'the second folder cannot take this copy: {cause}',
    whatToDo:
      'Mount the right folder. Only to begin anew on purpose: empty it, and remove copy.json from the data folder.',
  },
  RESTORE_TARGET: {
    class: 'person',
    message: 'nothing is restored into {folder}: {cause}',
    whatToDo: 'Name a folder that does not exist yet or is empty.',
  },
  ANALYTICS_LATE: {
    class: 'world',
    message: 'the report on alarms was not made ({cause})',
    whatToDo: 'Ask for a shorter time, or again in a minute.',
  },
  JOB_BROKE: {
    class: 'programmer',
    message: 'the job failed inside Vigil ({cause})',
    whatToDo: 'Report this with the log.',
  },
  API_REQUEST_INVALID: {
    class: 'person',
    message: 'the request does not fit its description ({cause})',
    whatToDo: 'Correct the fields named; the description is at /api/docs.',
  },
  API_NOT_SIGNED_IN: {
    class: 'person',
    message: 'nobody is signed in',
    whatToDo: 'Sign in at POST /api/v1/session.',
  },
  API_SIGN_IN_REFUSED: {
    class: 'person',
    message: 'user and password do not fit',
    whatToDo: 'Check both; after 5 failures the account rests for 10 minutes at this address.',
  },
  API_SIGN_IN_LOCKED: {
    class: 'person',
    message: 'too many failed sign-ins',
    whatToDo: 'Wait 10 minutes, then sign in again.',
  },
  API_NOT_ALLOWED: {
    class: 'person',
    message: 'your role may not do this',
    whatToDo: 'Ask somebody with one of the roles: {roles}.',
  },
  API_NOT_FOUND: {
    class: 'person',
    message: 'there is no such {what}, or not for you',
    whatToDo: 'Check the id of the {what} and your wards.',
  },
  API_OUTCOME: {
    class: 'person',
    message: 'not done: {says}',
    whatToDo: '{next}',
  },
  API_REFUSED: {
    class: 'person',
    message: 'not done: {count} value(s) are refused',
    whatToDo: 'Correct the fields named.',
  },
  API_ORIGIN: {
    class: 'person',
    message: 'the request comes from another site',
    whatToDo: 'Open Vigil under its own address; add that address to http.origins if a proxy changes it.',
  },
  API_TOO_MANY: {
    class: 'person',
    message: 'too many requests',
    whatToDo: 'Wait {waitS} s, then try again.',
  },
  API_CONTENT_TYPE: {
    class: 'person',
    message: 'the body must be application/json',
    whatToDo: 'Send JSON and say so in Content-Type; {} where nothing is to be said.',
  },
  API_BODY_TOO_LARGE: {
    class: 'person',
    message: 'the body is larger than {limit} bytes',
    whatToDo: 'Send less at once.',
  },
  API_RESPONSE_INVALID: {
    class: 'programmer',
    message: 'an answer of {route} did not fit its description ({at})',
    whatToDo: 'Report this with the log; nothing wrong was sent.',
  },
  API_ROUTE_WITHOUT_ROLES: {
    class: 'programmer',
    message: 'route {route} does not say who may call it',
    whatToDo: 'Declare config.roles for it.',
  },
  API_BROKE: {
    class: 'programmer',
    message: 'the request failed inside Vigil',
    whatToDo: 'Report this with the log.',
  },
} as const satisfies Record<string, FaultRow>;

export type FaultCode = keyof typeof faultTable;
