import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands where vminsert and vmselect of a cluster stand, and leads their paths to one real server. */
export async function openClusterFront(
  single: string,
): Promise<AsyncDisposable & { readonly url: string; readonly paths: Set<string> }> {
  const paths = new Set<string>();
  const server = createServer((asked, answer) => {
    const [path = '', query] = (asked.url ?? '').split('?');
    paths.add(path);
    const inside =
      /^\/insert\/0\/influx(\/api\/v2\/write)$|^\/select\/0\/prometheus(\/api\/v1\/export)$/.exec(path);
    const real = inside?.[1] ?? inside?.[2];
    if (real === undefined)
      return void answer.writeHead(404, 'unsupported path').end('unsupported path requested');
    const passed = request(
      `${single}${real}${query === undefined ? '' : `?${query}`}`,
      { method: asked.method, headers: asked.headers },
      (reply) => {
        answer.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(answer);
      },
    );
    passed.on('error', () => answer.writeHead(502).end());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
