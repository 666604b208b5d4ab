// SPDX-License-Identifier: Apache-2.0

/// `unix:/absolute/path`, as upstreams and the admin listener name a Unix socket.
enum SocketPathText {
    static let scheme = "unix:"
    /// A path must fit `sun_path` with the NUL that ends it.
    static let bytesMax = 107

    /// Absolute, and what follows the last slash is a name. Beyond ASCII a schema can count
    /// characters alone, so it lets through what is too long in bytes.
    static let schema = ValueSchema.pattern(
        "\(scheme)(/[^/\\x00]*)*/([^/.\\x00][^/\\x00]*|\\.[^/\\x00]+)"
    ).and(.length(atMost: scheme.utf8.count + bytesMax))

    /// The path, without `.` and empty segments, so that one socket has one spelling.
    static func parse(_ text: String) throws(UpstreamURL.Fault) -> String {
        let path = text.dropFirst(scheme.count)
        guard path.utf8.first == UInt8(ascii: "/"), path.utf8.count <= bytesMax else {
            throw UpstreamURL.Fault(
                "`unix:` must be followed by an absolute path of at most \(bytesMax) bytes")
        }
        guard !path.utf8.contains(0) else {
            throw UpstreamURL.Fault("a path cannot hold a NUL")
        }
        let resolved = PathText.resolve(String(path), besides: "")
        guard resolved != "/", !path.hasSuffix("/"), !path.hasSuffix("/.") else {
            throw UpstreamURL.Fault(
                "`unix:` must be followed by the path of a socket, not a folder")
        }
        return resolved
    }
}
