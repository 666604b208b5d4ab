// SPDX-License-Identifier: Apache-2.0
import Bytes
import TLS

/// The first bytes of connections from hostile clients, as they are and as one message that is
/// put into records of a size that the first byte chooses.
///
/// A trap is a finding, and so is a verdict that bytes to come could change, or one that depends on
/// how the message was put into records.
@c(LLVMFuzzerTestOneInput)
public func fuzzClientHello(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer gives `count` readable bytes for the length of the call.
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    checkPrefixes(bytes, cut: bytes.count * Int(first) / 256)
    checkRecords(message: bytes, capacity: Int(first) + 1)
    return 0
}

private struct Finding: Equatable {
    var inspection: ClientHello.Inspection
    var serverName: [UInt8]
    var flags: [Bool]
}

private func inspect(_ bytes: [UInt8]) -> Finding {
    var hello = ClientHello()
    let inspection = hello.inspect(bytes.span)
    precondition(hello.serverNameCount <= ClientHello.serverNameMax)
    precondition(hello.offersALPN || !hello.offersHTTP11)
    guard inspection == .hello else {
        return Finding(inspection: inspection, serverName: [], flags: [])
    }
    let name = hello.serverName
    return Finding(
        inspection: inspection,
        serverName: name.span.extracting(0..<hello.serverNameCount).array,
        flags: [hello.offersTLS13, hello.offersALPN, hello.offersHTTP11])
}

/// A verdict on a prefix is the verdict on the whole.
private func checkPrefixes(_ bytes: [UInt8], cut: Int) {
    let whole = inspect(bytes)
    let part = inspect(Array(bytes[..<cut]))
    precondition(part.inspection == .needMore || part == whole)
    precondition(inspect(bytes + [0]) == whole || whole.inspection == .needMore)
}

private func checkRecords(message: [UInt8], capacity: Int) {
    guard !message.isEmpty else { return }
    let small = inspect(records(message, capacity))
    let large = inspect(records(message, 16 * 1024))
    precondition(small == large)
}

private func records(_ message: [UInt8], _ capacity: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    for start in stride(from: 0, to: message.count, by: capacity) {
        let part = message[start..<min(start + capacity, message.count)]
        bytes += [22, 3, 1, UInt8(part.count >> 8), UInt8(part.count & 255)] + part
    }
    return bytes
}
