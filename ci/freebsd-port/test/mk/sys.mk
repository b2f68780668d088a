# What make(1) itself knows on FreeBSD, as far as a port asks: part of the stand-in for the ports framework that
# ci/freebsd-port-test.sh uses. No text of FreeBSD.
MACHINE?=	amd64
MACHINE_ARCH?=	amd64
.SHELL: name=sh path=/bin/sh
.MAKE.EXPAND_VARIABLES=	yes
