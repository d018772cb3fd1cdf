//! Small result files of every program that is read.

pub const ALL: [&str; 6] = [
    " LCModel (Version 6.3-1R)\n\n$$CONC  4 lines in following concentration table = NCONC+1\n    \
     Conc.  %SD /Cr+PCr  Metabolite\n    9.500   4%   1.250 NAA\n    1.500   3% 1.3E+00+MM09\n    0.000 999%   0.000 Cr\n\n\
     $$INPU 1 lines\n dows = T\n",
    " LCModel\n Title\n\n 3 lines in following concentration table = NCONC+1\n Conc. %SD /Cr+PCr Metabolite\n \
     9.5 4% 1.25 NAA\n 7.6 3% 1.0 Cr+PCr\n 6 lines in following misc. output table\n",
    "Row, Col, NAA, NAA %SD, NAA/Cr+PCr, Cr, Cr %SD, Cr/Cr+PCr\n 1, 1, 9.5, 4, 1.25, 7.6, 3, 1.0\n 1, 2, 9, 4, 1.2, 7, 3, 1\n",
    "Signal     Conc (mM)       %SD   SD (mM)\n----------------------\nNAA   8.5   5.0  0.425\nGln   0.000   inf  0.3\n\nFit\n",
    "Signal amplitudes\nRow,Col,Slice,NAA,Cr\n1,1,1,2.5,1.5\nCRLBs (standard deviation)\nRow,Col,Slice,NAA,Cr\n\
     1,1,1,0.25,inf\nFit diagnostics\nRow,Col,Slice,Q\n1,1,1,2\n",
    "id,metab,conc,crlb_pct,crlb_abs\na,NAA,10,5,\na,Cr,0,999,0.3\nb,NAA,12,10,\n",
];
