// SPDX-License-Identifier: Apache-2.0

import COpenSSL

/// What a server's session must know of its handshake to go on without libssl: the secrets of both
/// directions, and how many records were sealed with the one of ours.
///
/// libssl tells both through callbacks: the key log's (meant for debuggers) and the message's.
final class HandshakeNotes {
    private var clientSecret: TrafficSecret? = TrafficSecret()
    private var serverSecret: TrafficSecret? = TrafficSecret()
    /// Records written since the client's Finished: those with its tickets, the first under the
    /// secret of application data.
    private(set) var recordsSealed: UInt64 = 0
    private var hasFinished = false
    /// Its ticket keys are asked for until the handshake is done.
    private let context: TLSServerContext

    init(_ context: TLSServerContext) {
        self.context = context
    }

    /// Has libssl call back for all sessions of the context.
    static func listen(to context: OpaquePointer) {
        unsafe SSL_CTX_set_keylog_callback(context, takeSecret)
        unsafe SSL_CTX_set_msg_callback(context, takeMessage)
    }

    /// The notes must outlive the session, or be detached with `nil`.
    static func attach(_ notes: HandshakeNotes?, to session: OpaquePointer) {
        let pointer = unsafe notes.map { unsafe Unmanaged.passUnretained($0).toOpaque() }
        // Index 0 is the application's own (SSL_set_app_data).
        _ = unsafe SSL_set_ex_data(session, 0, pointer)
    }

    fileprivate static func of(_ session: OpaquePointer?) -> HandshakeNotes? {
        guard let pointer = unsafe SSL_get_ex_data(session, 0) else { return nil }
        // SAFETY: see attach.
        return unsafe Unmanaged<HandshakeNotes>.fromOpaque(pointer).takeUnretainedValue()
    }

    func takeClientSecret() -> TrafficSecret? { clientSecret.take() }
    func takeServerSecret() -> TrafficSecret? { serverSecret.take() }

    fileprivate func read(line: UnsafePointer<CChar>) {
        guard let space = unsafe strrchr(line, 0x20) else { return }
        let digits = unsafe UnsafePointer(space) + 1
        if unsafe Self.begins(line, "CLIENT_TRAFFIC_SECRET_0 ") {
            unsafe clientSecret?.read(hexadecimal: digits)
        } else if unsafe Self.begins(line, "SERVER_TRAFFIC_SECRET_0 ") {
            unsafe serverSecret?.read(hexadecimal: digits)
        }
    }

    private static func begins(_ line: UnsafePointer<CChar>, _ label: StaticString) -> Bool {
        // SAFETY: the line ends with a zero byte, where strncmp stops.
        unsafe label.utf8Start.withMemoryRebound(to: CChar.self, capacity: label.utf8CodeUnitCount)
        {
            unsafe strncmp(line, $0, label.utf8CodeUnitCount) == 0
        }
    }

    /// - Parameter type: of the handshake message; `nil` for the header of a record.
    fileprivate func note(isWriting: Bool, message type: UInt8?) {
        let finished: UInt8 = 20
        if !isWriting, type == finished {
            hasFinished = true
        } else if isWriting, hasFinished, type == nil {
            recordsSealed += 1
        }
    }
}

private func takeSecret(_ session: OpaquePointer?, _ line: UnsafePointer<CChar>?) {
    guard let line = unsafe line else { return }
    unsafe HandshakeNotes.of(session)?.read(line: line)
}

private func takeMessage(
    _ isWriting: Int32, _ version: Int32, _ type: Int32, _ bytes: UnsafeRawPointer?, _ count: Int,
    _ session: OpaquePointer?, _ argument: UnsafeMutableRawPointer?
) {
    switch type {
    case SSL3_RT_HEADER:
        unsafe HandshakeNotes.of(session)?.note(isWriting: isWriting == 1, message: nil)
    case SSL3_RT_HANDSHAKE:
        guard count > 0, let bytes = unsafe bytes else { return }
        let first = unsafe bytes.load(as: UInt8.self)
        unsafe HandshakeNotes.of(session)?.note(isWriting: isWriting == 1, message: first)
    default: break
    }
}
