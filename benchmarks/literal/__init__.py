"""The published equations written down word for word, as the slow reference of tests and timings.

One channel at a time, full complex transforms, the transfer function anew each time, sorted medians; weights under the
official releases' names. Not part of the package.
"""
