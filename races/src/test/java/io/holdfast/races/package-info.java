/** Runs jcstress. The tests themselves stand in the packages of what they stress. */
@NullMarked
package io.holdfast.races;

import org.jspecify.annotations.NullMarked;
