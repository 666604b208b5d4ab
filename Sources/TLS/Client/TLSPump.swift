// SPDX-License-Identifier: Apache-2.0

import Bytes
import COpenSSL

/// Where libssl finds the ciphertext that came and leaves the ciphertext to go, during one call.
///
/// libssl reads and writes through one BIO that all sessions of a worker share: a worker drives
/// one session at a time, so where the bytes are is said anew for each call. The core thus has no
/// socket in it, ciphertext is gathered into one send, and a session carries no BIO of its own.
@safe
package struct TLSPump: ~Copyable {
    @unsafe struct Place {
        var input: UnsafePointer<UInt8>?
        var inputCount = 0
        var inputTaken = 0
        var output: UnsafeMutablePointer<UInt8>?
        var outputRoom = 0
        var outputCount = 0
    }

    /// Invariant: allocated for the life of the pump; its pointers are set only during a call.
    let place: UnsafeMutablePointer<Place>
    /// Invariant: one reference is the pump's, two more are each living session's.
    let bio: OpaquePointer

    package init() throws(TLSFault) {
        guard let method = unsafe Self.method, let bio = unsafe BIO_new(method) else {
            throw TLSFault.configuration(OpenSSLErrors.take())
        }
        unsafe self.bio = bio
        unsafe place = .allocate(capacity: 1)
        unsafe place.initialize(to: Place())
        unsafe BIO_set_data(bio, place)
        unsafe BIO_set_init(bio, 1)
    }

    deinit {
        unsafe BIO_free(bio)
        unsafe place.deallocate()
    }

    /// Runs `body`, which calls libssl once or more, between the two buffers.
    func run<Result>(
        _ input: inout Buffer, _ output: inout Buffer, _ body: () -> Result
    ) -> Result {
        var result: Result?
        // SAFETY: both regions stay valid and unaliased until the pointers are cleared below;
        // nothing else touches the buffers meanwhile.
        unsafe output.fill { room in
            unsafe input.readable.withUnsafeBufferPointer { bytes in
                unsafe place.pointee = Place(
                    input: bytes.baseAddress, inputCount: bytes.count,
                    output: room.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    outputRoom: room.count)
                result = body()
            }
            return unsafe place.pointee.outputCount
        }
        let taken = unsafe place.pointee.inputTaken
        unsafe place.pointee = Place()
        input.consume(taken)
        guard let result else { preconditionFailure("an attached output buffer always runs") }
        return result
    }

    private nonisolated(unsafe) static let method: OpaquePointer? = {
        guard
            let method = unsafe BIO_meth_new(
                BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "agentport")
        else { return nil }
        unsafe BIO_meth_set_read(method, readInput)
        unsafe BIO_meth_set_write(method, writeOutput)
        unsafe BIO_meth_set_ctrl(method, control)
        return unsafe method
    }()
}

private func readInput(
    _ bio: OpaquePointer?, _ into: UnsafeMutablePointer<CChar>?, _ wanted: Int32
) -> Int32 {
    unsafe co_bio_clear_retry(bio)
    guard let raw = unsafe BIO_get_data(bio), let into = unsafe into else { return -1 }
    let place = unsafe raw.assumingMemoryBound(to: TLSPump.Place.self)
    let available = unsafe place.pointee.inputCount - place.pointee.inputTaken
    guard available > 0, let input = unsafe place.pointee.input else {
        unsafe co_bio_retry_read(bio)
        return -1
    }
    let count = min(available, Int(wanted))
    // SAFETY: `count` bytes are readable behind inputTaken, and `wanted` writable at `into`.
    unsafe UnsafeMutableRawPointer(into).copyMemory(
        from: input + place.pointee.inputTaken, byteCount: count)
    unsafe place.pointee.inputTaken += count
    return Int32(truncatingIfNeeded: count)
}

private func writeOutput(
    _ bio: OpaquePointer?, _ from: UnsafePointer<CChar>?, _ offered: Int32
) -> Int32 {
    unsafe co_bio_clear_retry(bio)
    guard let raw = unsafe BIO_get_data(bio), let from = unsafe from else { return -1 }
    let place = unsafe raw.assumingMemoryBound(to: TLSPump.Place.self)
    let room = unsafe place.pointee.outputRoom - place.pointee.outputCount
    guard room > 0, let output = unsafe place.pointee.output else {
        unsafe co_bio_retry_write(bio)
        return -1
    }
    let count = min(room, Int(offered))
    // SAFETY: `count` bytes are writable behind outputCount, and readable at `from`.
    unsafe UnsafeMutableRawPointer(output + place.pointee.outputCount).copyMemory(
        from: from, byteCount: count)
    unsafe place.pointee.outputCount += count
    return Int32(truncatingIfNeeded: count)
}

private func control(
    _ bio: OpaquePointer?, _ command: Int32, _ number: Int, _ pointer: UnsafeMutableRawPointer?
) -> Int {
    command == BIO_CTRL_FLUSH ? 1 : 0
}
