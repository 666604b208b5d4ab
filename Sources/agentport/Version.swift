// SPDX-License-Identifier: Apache-2.0

/// The version that `version`, the logs and the metrics tell.
enum Version {
    static let current = "0.1.0"
}
