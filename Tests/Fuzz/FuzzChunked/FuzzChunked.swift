// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP1

/// Chunked bodies from hostile bytes. The first byte chooses where the input is cut in two (of the
/// rest, in 256ths).
///
/// A trap is a finding, and so is an outcome that depends on the cut, or content that does not
/// come back when it is written and read anew.
@c(LLVMFuzzerTestOneInput)
public func fuzzChunked(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer gives `count` readable bytes for the length of the call.
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    let whole = read(bytes, [bytes.count])
    precondition(read(bytes, [bytes.count * Int(first) / 256, bytes.count]) == whole)
    guard whole.fault == nil, whole.end != nil else { return 0 }

    let copy = write(whole)
    var expected = whole
    expected.end = copy.count
    precondition(read(copy, [copy.count]) == expected)
    return 0
}

private struct Outcome: Equatable {
    var content: [UInt8] = []
    var trailers: [[UInt8]] = []
    var count: UInt64 = 0
    var end: Int?
    var fault: BodyFault?
}

/// Reads pieces that end at `cuts`; between two, what was consumed is dropped.
private func read(_ bytes: [UInt8], _ cuts: [Int]) -> Outcome {
    var decoder = BodyDecoder(.chunked)
    var outcome = Outcome()
    var base = 0
    for cut in cuts {
        let window = Array(bytes[base..<max(base, cut)])
        var offset = 0
        do {
            reading: while true {
                let event = try decoder.next(window.span, from: offset)
                precondition(event.consumed >= offset && event.consumed <= window.count)
                offset = event.consumed
                switch event {
                case .needMore:
                    break reading
                case .data(let range):
                    outcome.content += window[range]
                case .trailer(let field):
                    outcome.trailers.append(Array(window[field.name]))
                    outcome.trailers.append(Array(window[field.value]))
                case .end(let end):
                    outcome.end = base + end
                    outcome.count = decoder.count
                    precondition(decoder.isComplete && decoder.count == outcome.content.count)
                    return outcome
                }
            }
        } catch {
            outcome.fault = error
            return outcome
        }
        base += offset
    }
    return outcome
}

private func write(_ body: Outcome) -> [UInt8] {
    var pool = SlabPool(bound: 1)
    var buffer = Buffer()
    guard buffer.attach(from: &pool) else { return [] }
    defer { buffer.release(to: &pool) }
    var copy: [UInt8] = []
    for start in stride(from: 0, to: body.content.count, by: 1000) {
        let chunk = Array(body.content[start..<min(start + 1000, body.content.count)])
        buffer.clear()
        buffer.appendChunk(chunk.span)
        copy += buffer.readable.array
    }
    buffer.clear()
    buffer.appendLastChunkBeforeTrailers()
    for index in stride(from: 0, to: body.trailers.count, by: 2) {
        let name = body.trailers[index], value = body.trailers[index + 1]
        buffer.appendField(name.span, value.span)
    }
    buffer.appendHeadEnd()
    return copy + buffer.readable.array
}
