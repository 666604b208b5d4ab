# SPDX-License-Identifier: Apache-2.0
"""What the tests share: a gateway to start, an upstream that records, a client on the wire."""
