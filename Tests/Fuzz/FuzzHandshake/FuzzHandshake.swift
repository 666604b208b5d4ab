// SPDX-License-Identifier: Apache-2.0
import Bytes
@testable import TLS

/// The first bytes of connections from hostile clients, as they are and as one message that is
/// put into records of a size that the first byte chooses.
///
/// Behind a mark stands what a client says that was asked for its certificate.
///
/// A trap is a finding, and so is an outcome that depends on how the bytes came, or on how the
/// message was put into records.
@c(LLVMFuzzerTestOneInput)
public func fuzzHandshake(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer gives `count` readable bytes for the length of the call.
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first, input.count < 20_000 else { return 0 }
    let bytes = Array(input.dropFirst())
    if bytes.first == ClientFlight.mark {
        ClientFlight.check(Array(bytes.dropFirst()), capacity: Int(first) + 1)
        return 0
    }
    let whole = outcome([bytes])
    let cut = bytes.count * Int(first) / 256
    precondition(outcome([Array(bytes[..<cut]), Array(bytes[cut...])]) == whole)
    checkRecords(message: bytes, capacity: Int(first) + 1)
    return 0
}

private struct Outcome: Equatable {
    var result: TLSSession.Handshake
    /// Types of the records that were answered with; of an alert in the clear, its number.
    var answers: [UInt8]
}

private let identity = throwAwayContext()
// libFuzzer calls from one thread.
private nonisolated(unsafe) let tools = TLSTools()

private func throwAwayContext() -> TLSServerContext {
    do {
        let pair = try SelfSignedCertificate(names: "DNS:fuzz")
        return try TLSServerContext(certificate: pair.certificate.span, key: pair.key.span)
    } catch {
        preconditionFailure("\(error)")
    }
}

private func outcome(_ pieces: [[UInt8]]) -> Outcome {
    var pool = SlabPool(bound: 2)
    var input = Buffer()
    var output = Buffer()
    precondition(input.attach(from: &pool) && output.attach(from: &pool))
    defer {
        input.release(to: &pool)
        output.release(to: &pool)
    }
    var session = unsafe TLSSession(identity, tools, now: 0)
    var result = TLSSession.Handshake.needMore
    for piece in pieces where result == .needMore {
        input.compact()
        input.append(array: piece)
        result = session.handshake(&input, &output)
    }
    // Nobody can finish it without the server's key share.
    if case .complete = result { preconditionFailure("a handshake out of thin air") }
    return Outcome(result: result, answers: answers(output.readable))
}

private func answers(_ bytes: Span<UInt8>) -> [UInt8] {
    var found: [UInt8] = []
    var offset = 0
    while offset < bytes.count {
        precondition(bytes.count - offset >= 5, "a record without a header")
        let length = Int(bytes[offset + 3]) << 8 | Int(bytes[offset + 4])
        precondition(offset + 5 + length <= bytes.count, "half a record")
        found.append(bytes[offset])
        if bytes[offset] == ContentType.alert { found.append(bytes[offset + 6]) }
        offset += 5 + length
    }
    return found
}

private func checkRecords(message: [UInt8], capacity: Int) {
    guard !message.isEmpty, message.count <= 16 * 1024 else { return }
    let small = outcome([records(message, capacity)])
    let large = outcome([records(message, 16 * 1024)])
    // What lies behind a message is refused in the same record, and another one in the next.
    guard isOneMessage(message) else { return }
    precondition(small == large)
}

private func isOneMessage(_ message: [UInt8]) -> Bool {
    guard message.count >= 4 else { return true }
    return message.count - 4 <= Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
}

private func records(_ message: [UInt8], _ capacity: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: message.count, by: capacity) {
        let part = message[start..<min(start + capacity, message.count)]
        bytes += [22, 3, 1, UInt8(part.count >> 8), UInt8(part.count & 255)] + part
    }
    return bytes
}
