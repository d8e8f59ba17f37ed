/**
 * Varlink over AF_UNIX: {@linkplain io.holdfast.varlink.json.Json JSON values}, {@linkplain
 * io.holdfast.varlink.idl.Interface interface definitions}, {@linkplain
 * io.holdfast.varlink.server.VarlinkServer server} and {@linkplain
 * io.holdfast.varlink.client.VarlinkClient client}. Each call knows its peer by pidfd. The protocol
 * is that of <a href="https://varlink.org">varlink.org</a> with systemd's extensions (descriptors
 * with a message, {@code any}, {@code ExpectedUpgrade}).
 */
@NullMarked
package io.holdfast.varlink;

import org.jspecify.annotations.NullMarked;
