// SPDX-License-Identifier: Apache-2.0

import Admin
import Bytes
import Crypto
import Identity

/// A change of seeds or signing keys, as the audit log tells it.
enum SuccessionEvent {
    /// A file brought a new seed.
    case seedRotated(agent: String, path: String, oldEndsAt: UInt64)
    case seedRotatedByCall(SeedRotated, fingerprint: SHA256Digest)
    case seedEnded(agent: String)
    case keyPublished(KeptKey)
    case keySigns(id: String)
    case keyEnded(id: String)

    var isRotation: Bool {
        switch self {
        case .seedRotated, .seedRotatedByCall: true
        case .seedEnded, .keyPublished, .keySigns, .keyEnded: false
        }
    }

    var message: String {
        switch self {
        case .seedRotated, .seedRotatedByCall: "seed rotated"
        case .seedEnded: "superseded seed ended"
        case .keyPublished: "next signing key published"
        case .keySigns: "signing key changed"
        case .keyEnded: "superseded signing key ended"
        }
    }

    var facts: [(String, String)] {
        switch self {
        case .seedRotated(let agent, let path, let end):
            [
                ("agent", agent), ("origin", "file"), ("path", path),
                ("old_expires_at", RFC3339.text(end)),
            ]
        case .seedRotatedByCall(let done, let fingerprint):
            [
                ("agent", done.agent), ("origin", "call"), ("rotation_id", done.rotationID),
                ("trace_id", done.traceID), ("fingerprint", fingerprint.hex),
                ("old_expires_at", RFC3339.text(done.oldEndsAt)),
            ]
        case .seedEnded(let agent): [("agent", agent)]
        case .keyPublished(let key):
            [
                ("kid", key.id), ("origin", key.origin.name),
                ("signs_from", RFC3339.text(key.signsFrom.wall)),
            ]
        case .keySigns(let id), .keyEnded(let id): [("kid", id)]
        }
    }
}
