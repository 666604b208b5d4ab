// SPDX-License-Identifier: Apache-2.0
import Bytes
import HTTP1

/// A body as a comparable value: what was in it, where it ended, or what was wrong.
struct BodyImage: Equatable {
    var content: [UInt8] = []
    var trailers: [[String]] = []
    var kinds: [FieldName] = []
    /// Offset after the message's last byte, once it has been seen.
    var end: Int?
    var fault: BodyFault?
}

/// Feeds a decoder the bytes in pieces that end at `cuts`; between two pieces only what it has
/// consumed is dropped, as a connection's buffer does.
func readBody(_ framing: BodyFraming, _ bytes: [UInt8], cuts: [Int] = []) -> BodyImage {
    var decoder = BodyDecoder(framing)
    var image = BodyImage()
    var base = 0
    for cut in cuts + [bytes.count] {
        let window = Array(bytes[base..<max(base, cut)])
        var offset = 0
        feeding: while true {
            do {
                let event = try decoder.next(window.span, from: offset)
                precondition(event.consumed >= offset && event.consumed <= window.count)
                offset = event.consumed
                switch event {
                case .needMore:
                    break feeding
                case .data(let range):
                    precondition(!range.isEmpty)
                    image.content += window[range]
                case .trailer(let field):
                    let name = String(decoding: window[field.name], as: UTF8.self)
                    image.trailers.append([
                        name, String(decoding: window[field.value], as: UTF8.self),
                    ])
                    image.kinds.append(field.kind)
                case .end(let end):
                    image.end = base + end
                    return image
                }
            } catch {
                image.fault = error
                return image
            }
        }
        base += offset
    }
    return image
}
