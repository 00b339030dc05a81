/**
 * PORT. The one long-lived connection to the relay: whole binary frames, in order, or an end.
 * An adapter MUST authenticate while it opens (token as a websocket subprotocol), so that no frame is sent before.
 */
export interface Link {
  /** Starts a connection. MUST NOT throw: whatever goes wrong is told by `closed`, exactly once per connection. */
  open(events: LinkEvents): LinkConnection;
}

export interface LinkEvents {
  opened(): void;
  frame(bytes: Uint8Array): void;
  closed(end: LinkEnd): void;
}

export interface LinkConnection {
  /** Hands a frame over. After `closed` it MUST do nothing. */
  send(frame: Uint8Array): void;
  /** Bytes handed over that the platform has not yet given to the network; 0 where it cannot tell. */
  bufferedBytes(): number;
  /** Ends the connection now, also when the network is gone; `closed` follows at once. */
  close(): void;
}

export interface LinkEnd {
  /** A websocket close code (RFC 6455 and the refusals' own), 1006 where the connection was lost without one. */
  readonly code: number;
  readonly reason: string;
}
