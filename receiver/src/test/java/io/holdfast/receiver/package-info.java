/** Tests of the receiver. */
@org.jspecify.annotations.NullUnmarked
package io.holdfast.receiver;
