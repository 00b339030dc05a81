import { openMemoryLog, type MemoryDisk } from "./memory-log.ts";
import { orderLogContract, type LogBed } from "./order-log.contract.ts";

const disks = new Map<string, MemoryDisk>();

function diskOf(place: string): MemoryDisk {
  const disk = disks.get(place) ?? { rows: null };
  disks.set(place, disk);
  return disk;
}

const bed: LogBed = {
  open: async (place, workspace) => {
    const log = openMemoryLog(diskOf(place), workspace);
    return {
      log,
      enrol: (device) => log.enrol(device),
      setRevoked: (device, revoked) => log.setRevoked(device, revoked),
      close: () => Promise.resolve(),
    };
  },
  crash: async (place, at, answered, atRisk) => {
    const log = openMemoryLog(diskOf(place), "w");
    const append = (batch: (typeof answered)[number]) => log.append({ ...batch, workspace: "w", via: "http" });
    const answers = await Promise.all(answered.map(append));
    log.dieAt(at);
    for (const batch of atRisk) void append(batch);
    // The commit is a microtask, so it is over, one way or the other, when timers run.
    await new Promise((resolve) => setImmediate(resolve));
    return answers;
  },
};

orderLogContract("the order log in memory", bed);
