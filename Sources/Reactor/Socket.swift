// SPDX-License-Identifier: Apache-2.0

import Bytes
import CLinux

/// What a read or write on a non-blocking socket came to.
package enum Transfer: Equatable {
    case bytes(Int)
    /// Nothing can be moved now; readiness will tell when.
    case wouldBlock
    /// The peer sent FIN. Reads only.
    case end
    /// The connection is gone; errno says how.
    case failed(Int32)
}

/// A connected, or connecting, non-blocking stream socket.
package struct Socket: ~Copyable {
    package let descriptor: Descriptor

    package init(_ descriptor: consuming Descriptor) {
        self.descriptor = descriptor
    }

    /// Starts to connect; readiness for writing and ``connectionError`` tell how it went.
    package static func connect(to address: SocketAddress) throws(SystemError) -> Socket {
        guard let (storage, size) = address.storage() else {
            throw SystemError("connect", number: ENAMETOOLONG)
        }
        let number = cl_socket_stream(address.family)
        guard number >= 0 else { throw SystemError("socket") }
        let socket = Socket(Descriptor(owning: number))
        if address.family != AF_UNIX { prepare(number) }
        var peer = storage
        // A non-blocking connect that is interrupted goes on in the background, as one in progress.
        if unsafe cl_connect(number, &peer, size) != 0, cl_errno() != EINPROGRESS,
            cl_errno() != EINTR
        {
            throw SystemError("connect")
        }
        return socket
    }

    /// What every TCP connection wants.
    ///
    /// - Small messages leave at once; the gateway joins what belongs together itself.
    /// - A peer that has vanished is noticed within two minutes though nothing is sent.
    /// - The kernel takes so much ahead of a peer that does not read, and no more: else its buffer
    ///   grows to megabytes for each.
    static func prepare(_ number: Int32) {
        _ = cl_set_option(number, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        _ = cl_set_option(number, SOL_SOCKET, SO_KEEPALIVE, 1)
        _ = cl_set_option(number, Int32(IPPROTO_TCP), TCP_KEEPIDLE, 60)
        _ = cl_set_option(number, Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10)
        _ = cl_set_option(number, Int32(IPPROTO_TCP), TCP_KEEPCNT, 6)
        _ = cl_set_option(number, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, 128 * 1024)
    }

    /// errno of a finished connect; 0 when it succeeded.
    package var connectionError: Int32 { cl_socket_error(descriptor.rawValue) }

    /// Reads into the buffer's room, `limit` bytes at most.
    ///
    /// A buffer without room takes nothing and answers `.wouldBlock`: what a read of no bytes
    /// returns would look like the peer's FIN.
    package func receive(into buffer: inout Buffer, limit: Int = Slab.capacity) -> Transfer {
        guard buffer.room > 0, limit > 0 else { return .wouldBlock }
        var result = 0
        var number: Int32 = 0
        // SAFETY: the kernel writes at most region.count bytes.
        unsafe buffer.fill(limit: limit) { region in
            repeat {
                result = unsafe cl_recv(descriptor.rawValue, region.baseAddress, region.count)
                number = cl_errno()
            } while result < 0 && number == EINTR
            return max(0, result)
        }
        if result > 0 { return .bytes(result) }
        if result == 0 { return .end }
        return number == EAGAIN ? .wouldBlock : .failed(number)
    }

    /// Writes the front of the span.
    package func send(_ bytes: borrowing Span<UInt8>) -> Transfer {
        var result = 0
        var number: Int32 = 0
        // SAFETY: the kernel reads at most bytes.count bytes; MSG_NOSIGNAL makes a closed peer
        // an EPIPE rather than a signal.
        unsafe bytes.withUnsafeBufferPointer { source in
            repeat {
                result = unsafe cl_send(descriptor.rawValue, source.baseAddress, source.count)
                number = cl_errno()
            } while result < 0 && number == EINTR
        }
        if result >= 0 { return .bytes(result) }
        return number == EAGAIN ? .wouldBlock : .failed(number)
    }

    /// Sends FIN after what was written; reading goes on.
    package func finishWriting() {
        _ = shutdown(descriptor.rawValue, Int32(SHUT_WR))
    }

    /// Whether an idle connection is still good to write on: nothing unread, no FIN, no error.
    package var isQuiet: Bool {
        cl_peek(descriptor.rawValue) < 0 && cl_errno() == EAGAIN
    }

    /// Closing will send RST instead of FIN: for a peer whose bytes are not worth waiting for.
    package func resetOnClose() {
        _ = cl_reset_on_close(descriptor.rawValue)
    }
}
