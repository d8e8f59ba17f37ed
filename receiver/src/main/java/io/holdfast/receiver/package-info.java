/**
 * A receiver of log messages: unit output streams, syslog(3) and the native protocol of systemd's
 * journal, each message attributed to its sender by pidfd, and stored in journal files.
 */
@NullMarked
package io.holdfast.receiver;

import org.jspecify.annotations.NullMarked;
