// The reference sync server of automerge-repo 2.5.6: Repo, its websocket server, NodeFS, no announcing. Driven by JSON
// lines; args: DIR [PORT]. Rejections that nobody handles end such a server; here they are counted, so that the bench goes on.
import { decode } from "cbor-x";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import type { AddressInfo } from "node:net";
import { Repo, type DocumentId, type PeerId } from "@automerge/automerge-repo";
import { NodeWSServerAdapter } from "@automerge/automerge-repo-network-websocket";
import { NodeFSStorageAdapter } from "@automerge/automerge-repo-storage-nodefs";
import { WebSocketServer } from "ws";

const say = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`);
let rejections = 0;
let connections = 0;
process.on("unhandledRejection", () => {
  rejections += 1;
});
const sockets = new WebSocketServer({ host: "127.0.0.1", port: Number(process.argv[3] ?? 0) });
sockets.on("connection", () => {
  connections += 1;
});
const repo = new Repo({
  network: [new NodeWSServerAdapter(sockets as never)],
  storage: new NodeFSStorageAdapter(process.argv[2]),
  peerId: "server" as PeerId,
  sharePolicy: () => Promise.resolve(false),
});
sockets.once("listening", () => say({ ready: true, port: (sockets.address() as AddressInfo).port }));

createInterface({ input: process.stdin }).on("line", (text) => {
  const line = JSON.parse(text) as { n: number; do: string; file: string };
  const run = async () => {
    if (line.do === "seed") {
      for (const { doc, bytes } of decode(readFileSync(line.file)) as { doc: DocumentId; bytes: Uint8Array }[]) {
        repo.import(bytes, { docId: doc });
        await repo.flush([doc]);
      }
    }
    return { rejections, connections, documents: Object.keys(repo.handles).length };
  };
  run().then(
    (value) => say({ n: line.n, value }),
    (error: unknown) => say({ n: line.n, error: String(error) }),
  );
});
