/** Runs jcstress. Each test is in the package of the class that it stresses. */
@NullMarked
package io.holdfast.races;

import org.jspecify.annotations.NullMarked;
