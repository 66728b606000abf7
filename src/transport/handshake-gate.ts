import type { Socket } from 'node:net';

/**
 * Whoever reaches the port can begin handshakes and leave them open. Beyond these numbers a new
 * connection is reset at once, which kube-apiserver answers by trying again.
 */
const MAX_PENDING = 512;
const MAX_PENDING_OF_ADDRESS = 128;

/** Counts connections whose peer has not shown its certificate yet. */
export interface HandshakeGate {
  /** Whether a new connection may begin its handshake; counts it when it may. */
  admit(socket: Socket): boolean;
  /** The handshake on a connection is done; told by the TLS socket over it. */
  done(socket: Socket): void;
}

export function createHandshakeGate(): HandshakeGate {
  // By address and port of the peer, by which a TLS socket is known as the one below it is.
  const pending = new Set<string>();
  const byAddress = new Map<string, number>();
  const leave = (peer: string, address: string): void => {
    if (!pending.delete(peer)) return;
    const left = (byAddress.get(address) ?? 1) - 1;
    if (left === 0) byAddress.delete(address);
    else byAddress.set(address, left);
  };
  return {
    admit(socket) {
      const { address, peer } = peerOf(socket);
      const ofAddress = byAddress.get(address) ?? 0;
      if (pending.size >= MAX_PENDING || ofAddress >= MAX_PENDING_OF_ADDRESS) return false;
      pending.add(peer);
      byAddress.set(address, ofAddress + 1);
      socket.once('close', () => {
        leave(peer, address);
      });
      return true;
    },
    done(socket) {
      const { address, peer } = peerOf(socket);
      leave(peer, address);
    },
  };
}

function peerOf({ remoteAddress = '', remotePort = 0 }: Socket): { address: string; peer: string } {
  return { address: remoteAddress, peer: `${remoteAddress} ${remotePort}` };
}
