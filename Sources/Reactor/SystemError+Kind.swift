// SPDX-License-Identifier: Apache-2.0

import CLinux

extension SystemError {
    /// What callers outside this module tell apart, who know no errno.
    package enum Kind: Equatable {
        case notFound, notPermitted, isFolder, tooLarge, exists
        /// No descriptor, memory or port is left.
        case exhausted
        case other
    }

    package var kind: Kind {
        switch number {
        case ENOENT, ENOTDIR: .notFound
        case EACCES, EPERM: .notPermitted
        case EISDIR: .isFolder
        case EFBIG: .tooLarge
        case EEXIST: .exists
        case EMFILE, ENFILE, ENOBUFS, ENOMEM, EADDRNOTAVAIL: .exhausted
        default: .other
        }
    }

    /// The system's words alone, without the call.
    package var reason: String { Self.text(number) }
}
