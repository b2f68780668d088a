# A stand-in for the ports framework, for ports that only list, build and install: fetch, checksum, build, test, stage,
# check-plist. Network in fetch only, by a list of sites to a group. Written from the Porter's Handbook, not from
# FreeBSD's own files, and no substitute for a run on FreeBSD.
PORTVERSION?=	${DISTVERSION}
.include <bsd.port.options.mk>

.for name in PORTNAME PORTVERSION CATEGORIES MAINTAINER COMMENT WWW LICENSE
.  if empty(${name})
.    if empty(IGNORE)
.      error required variable ${name} is missing
.    endif
.  endif
.endfor
.if !empty(FLAVORS) && empty(FLAVORS:M${FLAVOR})
.  error unknown flavor ${FLAVOR}: one of ${FLAVORS} is expected
.endif
.if !empty(ONLY_FOR_ARCHS) && empty(ONLY_FOR_ARCHS:M${ARCH})
IGNORE?=	is only for ${ONLY_FOR_ARCHS}, and this is ${ARCH}
.endif

PKGBASE=	${PORTNAME}${${FLAVOR}_PKGNAMESUFFIX}
PKGNAME=	${PKGBASE}-${PORTVERSION}
DISTDIR?=	/usr/ports/distfiles
WRKDIR?=	${.CURDIR}/work
STAGEDIR?=	${WRKDIR}/stage
DOCSDIR?=	${PREFIX}/share/doc/${PORTNAME}
DISTINFO_FILE?=	${.CURDIR}/distinfo
PLIST?=		${.CURDIR}/pkg-plist
MAKE_JOBS_NUMBER?=	2
MKDIR=		mkdir -p
SETENV=		env
INSTALL_DATA=	install -m 0644
INSTALL_MAN=	install -m 444
INSTALL_PROGRAM=	install -m 555
_SCRIPTS:=	${.PARSEDIR}

.MAIN: stage
.PHONY: fetch checksum build test stage check-plist check-ignore clean

check-ignore:
.if !empty(IGNORE)
	@echo "===>  ${PKGNAME} ${IGNORE}." >&2; exit 1
.endif

_SITES=		${MASTER_SITES:C,^(.*):([A-Za-z0-9_]+)$,\2=\1,}

fetch: check-ignore
	@DISTDIR=${DISTDIR:Q} DIST_SUBDIR=${DIST_SUBDIR:Q} DISTINFO=${DISTINFO_FILE:Q} \
		OVERRIDE=${MASTER_SITE_OVERRIDE:Q} SITES=${_SITES:Q} \
		sh ${_SCRIPTS}/fetch.sh ${DISTFILES}

checksum: fetch
.if empty(NO_CHECKSUM)
	@DISTDIR=${DISTDIR:Q} DIST_SUBDIR=${DIST_SUBDIR:Q} DISTINFO=${DISTINFO_FILE:Q} \
		sh ${_SCRIPTS}/checksum.sh ${DISTFILES}
.endif

# The first word of each, NAME>=VERSION, is a package: what it is for must be there under its name.
_depends:
.for depend in ${BUILD_DEPENDS:C/[>:].*//}
	@test -x ${LOCALBASE}/bin/${depend} || { echo "===>  ${PKGNAME} depends on package ${depend} - not found" >&2; exit 1; }
.endfor

build: checksum _depends
	@${MKDIR} ${WRKDIR}
.if target(do-build)
	@${.MAKE} -f ${.CURDIR}/Makefile do-build
.endif

test: build
.if target(do-test)
	@${.MAKE} -f ${.CURDIR}/Makefile do-test
.endif

stage: build
	@rm -rf ${STAGEDIR}
	@${MKDIR} ${STAGEDIR}${PREFIX}
	@${.MAKE} -f ${.CURDIR}/Makefile do-install
.for option in ${PORT_OPTIONS}
.  if target(do-install-${option}-on)
	@${.MAKE} -f ${.CURDIR}/Makefile do-install-${option}-on
.  endif
.endfor
	@find ${STAGEDIR}${PREFIX}/share/man -name '*.[0-9]' -exec gzip -9n {} +

_PLIST_SED=	${PLIST_SUB:C,^([^=]*)=(.*)$,-e 's!%%\1%%!\2 !g',}

check-plist:
	@STAGEDIR=${STAGEDIR:Q} PREFIX=${PREFIX:Q} PLIST=${PLIST:Q} DOCSDIR=${DOCSDIR:Q} PORTDOCS=${PORTDOCS:Q} \
		PLIST_DIRS=${PLIST_DIRS:Q} sh ${_SCRIPTS}/check-plist.sh ${_PLIST_SED}

clean:
	rm -rf ${WRKDIR}
