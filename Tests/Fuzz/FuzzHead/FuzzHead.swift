// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP1

/// Heads from hostile bytes. The first byte chooses where the input is cut in two (of the rest,
/// in 256ths); what is left is parsed as a request and as a response.
///
/// A trap is a finding, and so is a verdict that depends on the cut, or a head that does not mean
/// the same once it has been written anew.
@c(LLVMFuzzerTestOneInput)
public func fuzzHead(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer gives `count` readable bytes for the length of the call.
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    let cut = bytes.count * Int(first) / 256
    checkRequest(bytes, cut)
    checkResponse(bytes, cut)
    return 0
}

private func checkRequest(_ bytes: [UInt8], _ cut: Int) {
    var whole = RequestHead()
    let verdict = parseRequest(bytes, [bytes.count], &whole)
    var parts = RequestHead()
    precondition(parseRequest(bytes, [cut, bytes.count], &parts) == verdict)
    guard case .success(.complete(let count)) = verdict else { return }
    precondition(count <= bytes.count && count == whole.count)
    judgeTarget(bytes.span.extracting(whole.pathRange))

    // Written anew, the head must parse and say the same.
    var copy = Array(bytes[whole.methodRange]) + [0x20] + Array(bytes[whole.targetRange])
    copy += Array(" HTTP/1.\(whole.minorVersion)\r\n".utf8)
    for index in 0..<whole.fieldCount { append(whole[index], of: bytes, to: &copy) }
    copy += [13, 10]
    var again = RequestHead()
    let verdictAgain = parseRequest(copy, [copy.count], &again, limits: HeadLimits())
    precondition(verdictAgain == .success(.complete(count: copy.count)))
    precondition(again.fieldCount == whole.fieldCount && again.framing == whole.framing)
    precondition(again.connection == whole.connection && again.method == whole.method)
    for index in 0..<whole.fieldCount {
        precondition(isSame(whole[index], bytes, again[index], copy))
    }
}

private func checkResponse(_ bytes: [UInt8], _ cut: Int) {
    var whole = ResponseHead()
    let verdict = parseResponse(bytes, [bytes.count], &whole)
    var parts = ResponseHead()
    precondition(parseResponse(bytes, [cut, bytes.count], &parts) == verdict)
    guard case .success(.complete) = verdict else { return }

    var copy = Array("HTTP/1.\(whole.minorVersion) \(whole.status) ".utf8)
    copy += Array(bytes[whole.reasonRange]) + [13, 10]
    for index in 0..<whole.fieldCount { append(whole[index], of: bytes, to: &copy) }
    copy += [13, 10]
    var again = ResponseHead()
    let verdictAgain = parseResponse(copy, [copy.count], &again, limits: HeadLimits())
    precondition(verdictAgain == .success(.complete(count: copy.count)))
    precondition(again.framing == whole.framing && again.keepsAlive == whole.keepsAlive)
}

private func append(_ field: HeaderField, of bytes: [UInt8], to copy: inout [UInt8]) {
    copy += bytes[field.nameRange] + [0x3A, 0x20] + bytes[field.valueRange] + [13, 10]
}

private func isSame(_ one: HeaderField, _ bytes: [UInt8], _ other: HeaderField, _ copy: [UInt8])
    -> Bool
{
    one.name == other.name && bytes[one.nameRange] == copy[other.nameRange]
        && bytes[one.valueRange] == copy[other.valueRange]
}

/// What is normalised once is normal: judged again, it passes as it is or becomes the same.
private func judgeTarget(_ target: Span<UInt8>) {
    var pool = SlabPool(bound: 1)
    var scratch = Buffer()
    guard scratch.attach(from: &pool) else { return }
    defer { scratch.release(to: &pool) }
    guard let judged = try? RequestTarget.judge(target, scratch: &scratch) else { return }
    let first = judged.isRewritten ? scratch.readable.array : target.array
    precondition(first.count == judged.count)
    do {
        let again = try RequestTarget.judge(first.span, scratch: &scratch)
        let second = again.isRewritten ? scratch.readable.array : first
        precondition(first == second && again.pathCount == judged.pathCount)
    } catch {
        preconditionFailure("a normalised target is refused")
    }
}

/// Small limits, so that a short input reaches them.
private let small = HeadLimits(requestLineBytes: 600, headBytes: 2000, fieldCount: 20)

private func parseRequest(
    _ bytes: [UInt8], _ cuts: [Int], _ head: inout RequestHead, limits: HeadLimits = small
) -> Result<HeadProgress, HeadFault> {
    var parser = RequestHeadParser()
    var progress = HeadProgress.needMore
    for cut in cuts where progress == .needMore {
        do {
            let part = bytes.span.extracting(0..<cut)
            progress = try parser.parse(part, limits: limits, into: &head)
        } catch {
            return .failure(error)
        }
    }
    return .success(progress)
}

private func parseResponse(
    _ bytes: [UInt8], _ cuts: [Int], _ head: inout ResponseHead, limits: HeadLimits = small
) -> Result<HeadProgress, HeadFault> {
    var parser = ResponseHeadParser()
    var progress = HeadProgress.needMore
    for cut in cuts where progress == .needMore {
        do {
            let part = bytes.span.extracting(0..<cut)
            progress = try parser.parse(
                part, limits: limits, requestMethod: .get, into: &head)
        } catch {
            return .failure(error)
        }
    }
    return .success(progress)
}
