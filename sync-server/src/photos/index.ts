import type { RelayContext } from "../context.ts";
import type { Route } from "../route.ts";
import { photoLimits } from "./limits.ts";
import { createPhotoRoom, type PhotoRoom } from "./room.ts";
import { photoRoutes } from "./routes.ts";
import { startUpkeep } from "./upkeep.ts";

const opened = new WeakMap<RelayContext, PhotoRoom>();

function roomOf(context: RelayContext): PhotoRoom {
  const known = opened.get(context);
  if (known !== undefined) return known;
  const { config, db, writer, clock, workspace, log, hub } = context;
  const room = createPhotoRoom({
    db,
    writer,
    clock,
    dir: config.dir,
    zone: workspace.zone,
    limits: { ...photoLimits, freeBytes: config.photoFreeBytes, bytesPerDay: config.photoBytesPerDay },
    note: (text, about) => log.info(about, text),
    // The phone knows by its own upload; this tells the same person's other screens.
    arrived: ({ photo, part, device }) =>
      hub.of(device)?.send({ type: "notice", topic: "photo", text: `The ${part} is at HQ.`, item: photo }),
  });
  opened.set(context, room);
  return room;
}

export const routes = (context: RelayContext): readonly Route[] => photoRoutes(roomOf(context));

export const start = (context: RelayContext): Promise<() => Promise<void>> => startUpkeep(roomOf(context));
