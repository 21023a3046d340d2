import { mkdir, open, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';

export interface StartRoomOptions {
  /** The data folder. */
  readonly folder: string;
  readonly bytes: number;
}

const piece = Buffer.alloc(256 * 1024);
/** Laid down again only where so many times its size is free: a disk that is nearly full needs its room. */
const roomTimes = 4;

/**
 * Room kept for a start. A gateway that was killed while its disk was full must open its databases again, and that
 * takes a little room: a file holds it, is given up when the disk is full at a start, and is laid down again later.
 * Nothing here waits on the main thread: a disk may hang.
 */
export class StartRoom {
  private readonly options: StartRoomOptions;
  private readonly file: string;
  private busy = false;

  constructor(options: StartRoomOptions) {
    this.options = options;
    this.file = join(options.folder, 'start-room');
  }

  /** Before anything is opened. True when the room had to be given up. */
  async giveUpWhenFull(): Promise<boolean> {
    const { folder, bytes } = this.options;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if ((await this.freeBytes()) >= bytes) return false;
    await rm(this.file, { force: true });
    return true;
  }

  /** Lays the file down if it is missing and there is room enough; a disk that refuses is asked again next time. */
  async layDown(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      if (await this.isThere()) return;
      if ((await this.freeBytes()) < roomTimes * this.options.bytes) return;
      await this.write();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      await rm(this.file, { force: true }).catch(() => undefined);
    } finally {
      this.busy = false;
    }
  }

  private async isThere(): Promise<boolean> {
    return stat(this.file).then(
      ({ size }) => size >= this.options.bytes,
      () => false,
    );
  }

  private async freeBytes(): Promise<number> {
    const { bavail, bsize } = await statfs(this.options.folder);
    return bavail * bsize;
  }

  /** Real bytes, not a hole: the blocks must be taken. */
  private async write(): Promise<void> {
    const handle = await open(this.file, 'w', 0o600);
    try {
      for (let left = this.options.bytes; left > 0; left -= piece.length)
        await handle.write(piece, 0, Math.min(left, piece.length));
    } finally {
      await handle.close();
    }
  }
}
