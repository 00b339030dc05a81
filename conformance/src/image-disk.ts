import { execFile, spawnSync } from "node:child_process";
import { mkdir, rename, rm, statfs, truncate, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { atEnd } from "./at-end.ts";

/** What is needed is not to be had on this host; `code` is `host.…`. */
export class HostLacks extends Error {
  override readonly name = "HostLacks";
  readonly code: string;

  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/**
 * A file system whose power can be cut and whose store can fail.
 *
 * It is an ext4 image inside an XFS volume, both loop-mounted, the image with direct I/O: what a process wrote and did
 * not flush lies in ext4's memory alone, and what it flushed is in the image. A reflinked copy of the image is made under
 * XFS's lock, so it holds the block device as it was in one instant. What a drive does with its own volatile cache is
 * not played: a block that reached the device counts as stored.
 */
export interface ImageDisk {
  /** Where it is mounted. */
  readonly path: string;
  /** Keeps what the block device holds in this instant. */
  cut(): Promise<void>;
  /** Mounts what `cut` kept in place of the disk; ext4 replays its journal. Nobody may have a file open on the disk. */
  powerReturns(): Promise<void>;
  /** The store below goes: from now on every flush fails with EIO, while a plain write still succeeds in memory. */
  fail(): Promise<void>;
  /** The store comes back with what it had, and the disk is mounted anew. Nobody may have a file open on the disk. */
  heal(): Promise<void>;
  /** Takes all but `leftBytes` of the disk's room. */
  fill(leftBytes: number): Promise<void>;
  /** Gives the room back. */
  empty(): Promise<void>;
  /**
   * The volume below has no room for blocks that the disk never wrote before, as a thin volume may: their flush fails,
   * while ext4 goes on and keeps in memory, as if clean, what is not stored.
   */
  starve(): Promise<void>;
  /** The volume has room again. The disk stays mounted, with what it has in memory. */
  feed(): Promise<void>;
  close(): Promise<void>;
}

const MIB = 1_048_576;
/** Sparse: the image, its copy, and what both have not in common. */
const VOLUME_BYTES = 4_096 * MIB;
const BLOCK_BYTES = 4_096;

const execute = promisify(execFile);
const run = async (command: string, ...words: readonly string[]) => (await execute(command, words)).stdout.trim();

const runNow = (command: string, ...words: readonly string[]) =>
  void spawnSync(command, words, { stdio: "ignore", timeout: 10_000 });

/** Whether a file of so many bytes still fits. It is there then. */
async function takes(file: string, bytes: number): Promise<boolean> {
  try {
    await run("fallocate", "--length", String(bytes), file);
    return true;
  } catch {
    await rm(file, { force: true });
    return false;
  }
}

/** Makes a disk of `bytes` under `folder`, which MUST be there. Rejects with `HostLacks` where the host cannot. */
export async function openImageDisk(folder: string, bytes: number): Promise<ImageDisk> {
  const volume = path.join(folder, "volume.img");
  const outer = path.join(folder, "volume");
  const image = path.join(outer, "disk.img");
  const kept = path.join(outer, "cut.img");
  const inner = path.join(folder, "disk");
  const filler = path.join(inner, "filler");
  const ballast = path.join(outer, "ballast");
  let device: string | null = null;

  const mountOuter = () => run("mount", "-o", "loop", volume, outer);
  const mountInner = async () => {
    device = await run("losetup", "--direct-io=on", "--show", "--find", image);
    await run("mount", device, inner);
  };
  const unmountInner = async () => {
    await run("umount", inner);
    if (device !== null) await run("losetup", "--detach", device);
    device = null;
  };
  // Whoever still has files open on it is being killed: the mounts go when they are gone.
  const forget = atEnd(() => {
    runNow("umount", "--lazy", inner);
    if (device !== null) runNow("losetup", "--detach", device);
    runNow("umount", "--lazy", outer);
  });
  const close = async () => {
    forget();
    // Whatever of it was mounted: a drill that failed must leave no mount behind.
    await run("umount", inner).catch(() => undefined);
    if (device !== null) await run("losetup", "--detach", device).catch(() => undefined);
    await run("umount", outer).catch(() => undefined);
    await rm(volume, { force: true });
  };

  try {
    await mkdir(outer);
    await mkdir(inner);
    await writeFile(volume, "");
    await truncate(volume, VOLUME_BYTES);
    await run("mkfs.xfs", "-q", "-m", "reflink=1", volume);
    await mountOuter();
    await writeFile(image, "");
    await truncate(image, bytes);
    // No blocks are kept back for the superuser: a full disk is full for everyone. A reflinked image can be written with
    // direct I/O in XFS's own blocks only, so ext4's must be as large.
    await run("mkfs.ext4", "-q", "-F", "-m", "0", "-b", String(BLOCK_BYTES), image);
    await mountInner();
  } catch (error) {
    await close();
    throw new HostLacks(
      "host.disk-images",
      `This host cannot make and mount a disk image, for which root, loop devices, mkfs.xfs and mkfs.ext4 are needed: ${(error as Error).message.trim()}`,
    );
  }
  return {
    path: inner,
    cut: async () => {
      await run("cp", "--reflink=always", image, kept);
    },
    powerReturns: async () => {
      await unmountInner();
      await rename(kept, image);
      await mountInner();
    },
    fail: async () => {
      await run("xfs_io", "-x", "-c", "shutdown", outer);
    },
    fill: async (leftBytes) => {
      const { bavail, bsize } = await statfs(inner);
      await run("fallocate", "--length", String(Math.max(bsize, bavail * bsize - leftBytes)), filler);
    },
    empty: () => rm(filler),
    starve: async () => {
      await mkdir(ballast);
      // What one file may take at once is not what is free: pieces of half the size until none fits.
      for (let piece = VOLUME_BYTES; piece >= BLOCK_BYTES; piece /= 2) {
        for (let number = 0; await takes(path.join(ballast, `${piece}-${number}`), piece); number += 1);
      }
    },
    feed: () => rm(ballast, { recursive: true }),
    heal: async () => {
      await unmountInner();
      await run("umount", outer);
      await mountOuter();
      await mountInner();
    },
    close,
  };
}
