// SPDX-License-Identifier: Apache-2.0

extension String {
    var bytes: [UInt8] { Array(utf8) }
}
