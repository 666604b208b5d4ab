// SPDX-License-Identifier: Apache-2.0

import Bytes

/// A server's end of one TLS connection: ciphertext to plaintext and back, without a socket.
///
/// A ``ServerHandshake`` first, and then a ``RecordLayer`` alone.
package struct TLSSession: ~Copyable {
    /// What a record adds to its plaintext at most: header, content type, tag (RFC 8446 §5.2).
    package static let recordOverhead = 22
    package static let recordPlaintextMax = 16 * 1024
    package static let recordsPerKeyMax = RecordLayer.recordsPerKeyMax

    package enum Handshake: Equatable {
        case needMore
        case complete(resumed: Bool)
        /// The alert, if any, is in the output.
        case failed(TLSFault)
    }

    package enum Reading: Equatable {
        /// All ciphertext was taken; the plaintext, if any, was appended.
        case needMore
        /// The plaintext's buffer is full; call again when there is room.
        case full
        /// The peer sent close_notify; what came before it was appended.
        case closed
        case failed(TLSFault)
    }

    /// `nil` once `records` has taken over.
    private var underway: ServerHandshake?
    private var records: RecordLayer?
    /// What the client asked for (SNI); empty where it did not.
    private var serverName: [UInt8] = []
    /// What the client was asked to prove.
    private let clients: ClientProof?
    /// What the client has proven to be; `nil` where it was not asked, or has no certificate.
    package private(set) var clientCertificate: ClientCertificate?

    /// - Parameters:
    ///   - tools: of the thread that uses the session.
    ///   - now: seconds since 1970.
    ///   - recordsPerKeyMax: how many records one key seals; then it is changed.
    package init(
        _ context: TLSServerContext, _ tools: TLSTools, now: UInt64,
        recordsPerKeyMax: UInt64 = Self.recordsPerKeyMax
    ) {
        clients = context.clients
        underway = ServerHandshake(
            context, tools, now: now, recordsPerKeyMax: recordsPerKeyMax)
    }

    /// Takes ciphertext, and appends what there is room for of the answer: to be called again
    /// where it needs more and the output is full.
    package mutating func handshake(_ input: inout Buffer, _ output: inout Buffer) -> Handshake {
        guard let underway else { return .failed(.handshake(reason: "twice")) }
        let outcome = underway.advance(&input, &output)
        guard case .complete = outcome else { return outcome }
        guard let layer = underway.makeRecords() else {
            return .failed(.handshake(reason: "no keys for its records"))
        }
        records = consume layer
        serverName = underway.serverName
        clientCertificate = underway.clientCertificate
        self.underway = nil
        return outcome
    }

    /// Decrypts what is in `input` into the room of `plaintext`.
    ///
    /// - Parameter output: for what the protocol itself must answer (an alert).
    package mutating func read(
        _ input: inout Buffer, into plaintext: inout Buffer, _ output: inout Buffer
    ) -> Reading {
        records?.read(&input, into: &plaintext, &output) ?? .failed(.truncated)
    }

    /// Encrypts the front of `plaintext`: as many records as surely fit into the output's room.
    ///
    /// - Returns: how much plaintext was taken, or `nil` where the session can't write any more.
    package mutating func write(
        _ plaintext: borrowing Span<UInt8>, into output: inout Buffer
    ) -> Int? {
        records?.write(plaintext, into: &output) ?? nil
    }

    /// Appends close_notify: nothing will be written after it. Reading may go on.
    package mutating func close(into output: inout Buffer) {
        records?.close(into: &output)
    }

    /// Whether its client was asked to prove what this context asks for.
    package func isBound(to context: TLSServerContext) -> Bool { clients === context.clients }

    /// Appends the name that the client asked for (SNI), if it did.
    package func appendServerName(to buffer: inout Buffer) {
        buffer.append(array: serverName)
    }
}
