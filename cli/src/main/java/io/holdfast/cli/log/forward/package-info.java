/** Sends log messages to another machine: OTLP over HTTP, and syslog over TCP and TLS. */
@NullMarked
package io.holdfast.cli.log.forward;

import org.jspecify.annotations.NullMarked;
