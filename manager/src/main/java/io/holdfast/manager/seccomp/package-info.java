/**
 * The filters of system calls that confine the processes of units: their rules, compiled by
 * libseccomp.
 */
@NullMarked
package io.holdfast.manager.seccomp;

import org.jspecify.annotations.NullMarked;
