import { parentPort, type MessagePort } from "node:worker_threads";
import { isSignedByBytes } from "./ed25519.ts";
import { checkPacked } from "./packed.ts";

const port = parentPort as MessagePort;
port.on("message", (packed: Uint8Array) => port.postMessage(checkPacked(packed, isSignedByBytes)));
