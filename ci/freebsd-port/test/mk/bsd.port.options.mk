# A stand-in for the options of the ports framework: PORT_OPTIONS from OPTIONS_* and from WITH and WITHOUT, whether they
# go together, PLIST_SUB, and OPT_RUN_DEPENDS. What a port may rely on is described in the Porter's Handbook; this is
# our own text and knows only what ours use.
.if !defined(_OPTIONS_MK)
_OPTIONS_MK=	yes

PREFIX?=	/usr/local
LOCALBASE?=	/usr/local
ARCH?=		${MACHINE_ARCH}
FILESDIR=	${.CURDIR}/files

_ALL_OPTIONS=	${OPTIONS_DEFINE}
.for group in ${OPTIONS_SINGLE}
_ALL_OPTIONS+=	${OPTIONS_SINGLE_${group}}
.endfor
.for group in ${OPTIONS_GROUP}
_ALL_OPTIONS+=	${OPTIONS_GROUP_${group}}
.endfor

# DOCS is on wherever it is an option.
PORT_OPTIONS=	${OPTIONS_DEFAULT} ${OPTIONS_DEFINE:MDOCS} ${WITH}
PORT_OPTIONS:=	${PORT_OPTIONS:O:u}
.for option in ${WITHOUT}
PORT_OPTIONS:=	${PORT_OPTIONS:N${option}}
.endfor
.for option in ${PORT_OPTIONS} ${WITHOUT}
.  if empty(_ALL_OPTIONS:M${option})
.    error there is no option ${option}
.  endif
.endfor
.for group in ${OPTIONS_SINGLE}
_CHOSEN:=
.  for option in ${OPTIONS_SINGLE_${group}}
_CHOSEN:=	${_CHOSEN} ${PORT_OPTIONS:M${option}}
.  endfor
.  if ${_CHOSEN:[#]} != 1 || "${_CHOSEN:[1]}" == ""
.    error exactly one option of ${group} must be chosen, not: ${_CHOSEN}
.  endif
.endfor
.for option in ${_ALL_OPTIONS}
.  if "${${option}_DESC}" == "" && ${option} != DOCS && ${option} != IPV6
.    error option ${option} has no description
.  endif
.  if ${PORT_OPTIONS:M${option}}
.    for other in ${${option}_IMPLIES}
.      if empty(PORT_OPTIONS:M${other})
PORT_OPTIONS+=	${other}
.      endif
.    endfor
.    for other in ${${option}_PREVENTS}
.      if ${PORT_OPTIONS:M${other}}
.        error ${${option}_PREVENTS_MSG}
.      endif
.    endfor
RUN_DEPENDS+=	${${option}_RUN_DEPENDS}
PLIST_SUB+=	${option}= NO_${option}=@comment
.  else
PLIST_SUB+=	${option}=@comment NO_${option}=
.  endif
.endfor

.endif
