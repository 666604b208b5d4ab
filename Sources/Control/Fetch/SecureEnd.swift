// SPDX-License-Identifier: Apache-2.0

import Bytes
import TLS

/// A fetch's end of a TLS connection, with a pump of its own: fetches are few.
struct SecureEnd: ~Copyable {
    private var session: TLSClientSession
    private let pump: TLSPump

    init(_ context: TLSClientContext) throws(TLSFault) {
        let pump = try TLSPump()
        guard let session = TLSClientSession(context, pump: pump) else {
            throw .configuration("out of memory")
        }
        self.session = session
        self.pump = pump
    }

    mutating func handshake(
        _ input: inout Buffer, _ output: inout Buffer
    ) -> TLSSession.Handshake {
        session.handshake(&input, &output, pump: pump)
    }

    mutating func read(
        _ input: inout Buffer, into plain: inout Buffer, _ output: inout Buffer
    ) -> TLSSession.Reading {
        session.read(&input, into: &plain, &output, pump: pump)
    }

    /// - Returns: how much was taken, as much as fits into the output.
    mutating func write(_ plain: borrowing Span<UInt8>, into output: inout Buffer) -> Int? {
        session.write(plain, into: &output, pump: pump)
    }

    mutating func close(into output: inout Buffer) {
        session.close(into: &output, pump: pump)
    }
}
