/**
 * Varlink over AF_UNIX: {@linkplain io.holdfast.varlink.Json JSON values}, {@linkplain
 * io.holdfast.varlink.Interface interface definitions}, {@linkplain
 * io.holdfast.varlink.VarlinkServer server} and {@linkplain io.holdfast.varlink.VarlinkClient
 * client}, each call knowing its peer by pidfd. The protocol is that of <a
 * href="https://varlink.org">varlink.org</a> with systemd's extensions (descriptors beside a
 * message, {@code any}, {@code ExpectedUpgrade}).
 */
@NullMarked
package io.holdfast.varlink;

import org.jspecify.annotations.NullMarked;
