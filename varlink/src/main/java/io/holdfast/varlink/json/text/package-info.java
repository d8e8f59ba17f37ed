/** Reads and writes JSON. Not exported. */
@NullMarked
package io.holdfast.varlink.json.text;

import org.jspecify.annotations.NullMarked;
