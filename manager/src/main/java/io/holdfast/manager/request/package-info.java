/**
 * Takes requests: {@code Jobs} reads the files that a request needs and hands it to the job engine,
 * {@code TransientStarts} makes units at run time, and {@code UnusedUnits} unloads what no request
 * needs any more.
 */
@NullMarked
package io.holdfast.manager.request;

import org.jspecify.annotations.NullMarked;
