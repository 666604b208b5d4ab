// SPDX-License-Identifier: Apache-2.0

/// A client's address in 128 bits: IPv6 as it is, IPv4 mapped (`::ffff:a.b.c.d`, RFC 4291
/// §2.5.5.2), so that one client has one value on either kind of listener.
package typealias ClientAddress = UInt128
